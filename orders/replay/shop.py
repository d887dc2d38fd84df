"""The shop of a replay, as its customers reach it."""

import json
from collections.abc import Collection, Iterator
from decimal import Decimal
from itertools import count
from time import perf_counter
from typing import Any
from uuid import uuid4

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from orders.replay.answers import Answer, Basket, detail_of
from orders.replay.baskets import Offer

RETRIED_AT_MOST = 5
PAGE = 10_000
CLOSED = "the classic calls must be open to this command. Start the server with API_OPEN=classic."
TIMEOUT = Timeout(connect=5, read=20)
# Every request of an order carries the same key, so a retry is safe whatever became of the attempt before it.
RETRIES = Retry(
    total=RETRIED_AT_MOST,
    allowed_methods=None,
    status_forcelist=(429, 502, 503, 504),
    raise_on_status=False,
    backoff_factor=0.2,
    backoff_jitter=0.1,
    retry_after_max=5,
)


class ShopError(Exception):
    """There is no shop at this address, or it does not let us take part: the replay cannot go on."""


class Shop:
    """The classic API at one address, for any number of threads."""

    def __init__(self, url: str, *, clients: int) -> None:
        self.url = url
        self.http = PoolManager(maxsize=clients, timeout=TIMEOUT, retries=RETRIES)

    def put_on_sale(self, offer: Offer) -> int:
        """The id of the new product. Not retried: without a key, a second attempt could make a second product."""
        product = {"name": offer.name, "description": "Replayed", "price": float(offer.price), "stock": offer.stock}
        match self.read("POST", "/product/create_product", json=product, retries=False):
            case {"id": int(number)}:
                return number
            case other:
                raise ShopError(f"{self.url} is no shop: it made a product of {other!r:.200}.")

    def place(self, basket: Basket) -> Answer:
        order = {"products": [{"product_id": number, "quantity": quantity} for number, quantity in basket.items()]}
        key = {"Idempotency-Key": str(uuid4())}
        started = perf_counter()
        try:
            response = self.request("POST", "/order/create_order", json=order, headers=key)
        except HTTPError as error:
            return self.silence(error, basket=basket, seconds=perf_counter() - started)
        return Answer(
            basket=basket,
            status=response.status,
            body=body_of(response),
            retries=len(response.retries.history) if response.retries else 0,
            is_replay=response.headers.get("Idempotent-Replayed") == "true",
            seconds=perf_counter() - started,
        )

    def silence(self, error: HTTPError, *, basket: Basket, seconds: float) -> Answer:
        """The answer that never came; when nobody listens any more, the end of the replay."""
        reason = getattr(error, "reason", error)
        if isinstance(reason, (NewConnectionError, ConnectTimeoutError)):
            raise ShopError(f"{self.url} can no longer be reached: {reason}. Nothing was proved.") from error
        return Answer(basket=basket, status=0, body=str(reason), retries=RETRIED_AT_MOST, seconds=seconds)

    def stock_of(self, numbers: Collection[int]) -> dict[int, int]:
        stock = {}
        for product in self.products():
            match product:
                case {"id": int(number), "stock": int(units)} if number in numbers:
                    stock[number] = units
        return stock

    def products(self) -> Iterator[Any]:
        for skip in count(0, PAGE):
            page = self.read("GET", "/product/all_products", fields={"skip": str(skip), "limit": str(PAGE)})
            yield from page
            if len(page) < PAGE:
                return

    def read(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of a 200; anything else ends the command."""
        try:
            response = self.request(method, path, **request)
        except HTTPError as error:
            raise ShopError(f"Cannot reach {self.url}: {getattr(error, 'reason', error)}") from error
        if response.status in (401, 403):
            raise ShopError(f"{self.url} answers {response.status}: {CLOSED}")
        body = body_of(response)
        if response.status != 200:
            sent = request.get("json") or request.get("fields")
            raise ShopError(f"{method} {path} {sent} was answered {response.status}: {detail_of(body)}")
        return body

    def request(self, method: str, path: str, **request: Any) -> BaseHTTPResponse:
        # A redirected POST loses its body, so a redirect is an answer like any other.
        return self.http.request(method, self.url + path, redirect=False, **request)


def body_of(response: BaseHTTPResponse) -> Any:
    """Its JSON, exact; of anything else, the beginning of the text."""
    try:
        return json.loads(response.data, parse_float=Decimal)
    except ValueError:
        return response.data[:200].decode(errors="replace")
