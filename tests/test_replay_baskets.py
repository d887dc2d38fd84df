import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from random import SystemRandom
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command

from orders.management.commands import replay_baskets
from orders.management.commands.replay_baskets import Command
from orders.replay.answers import Answer
from orders.replay.baskets import Offer, draw_offers, read_baskets
from orders.replay.proof import Proof
from orders.replay.shop import RETRIES

INK, LAMP = 7, 8


def write(folder: Path, content: bytes) -> Path:
    file = folder / "baskets.csv"
    file.write_bytes(content)
    return file


# The baskets


def test_reads_a_basket_per_line_and_counts_an_item_named_twice(tmp_path):
    file = write(tmp_path, "ink,lamp\nink, jalapeño ,ink\n".encode())

    assert read_baskets(file) == [{"ink": 1, "lamp": 1}, {"ink": 2, "jalapeño": 1}]


def test_skips_what_is_empty_and_keeps_a_quoted_comma(tmp_path):
    file = write(tmp_path, b'\xef\xbb\xbfink,, \r\n\r\n , \r\n"beer, dark"\r\n')

    assert read_baskets(file) == [{"ink": 1}, {"beer, dark": 1}]


# The offers


def test_draws_the_same_offers_for_the_same_baskets():
    baskets = [Counter({"ink": 100, "lamp": 10}), Counter({"ink": 100})]

    assert draw_offers(baskets) == [
        Offer(name="ink", price=Decimal("3.24"), stock=252),
        Offer(name="lamp", price=Decimal("16.92"), stock=15),
    ]


def test_draws_prices_in_cents_and_stocks_around_the_demand():
    offers = draw_offers([Counter({f"item {n}": 100 for n in range(1000)})])

    assert all(Decimal("0.49") <= offer.price <= Decimal("19.99") for offer in offers)
    assert {offer.price.as_tuple().exponent for offer in offers} <= {0, -1, -2}
    assert all(80 <= offer.stock <= 160 for offer in offers)
    assert 200 < sum(offer.stock < 100 for offer in offers) < 300


# The proof


def line(number: int, name: str, quantity: int, price: str, subtotal: str) -> dict[str, Any]:
    return {
        "product_id": number,
        "product_name": name,
        "quantity": quantity,
        "price_at_time": Decimal(price),
        "subtotal": Decimal(subtotal),
    }


def placed(number: int, *lines: dict[str, Any], total: str) -> Answer:
    body = {"id": number, "items": list(lines), "total_price": Decimal(total), "status": "completed"}
    return Answer(basket={item["product_id"]: item["quantity"] for item in lines}, status=201, body=body)


@pytest.fixture
def books() -> Proof:
    """10 ink and 3 lamps on sale; 3 ink and a lamp sold in order 1, 2 lamps in order 2, 4 lamps refused."""
    refusal = {"code": "insufficient_stock", "detail": "Insufficient stock for product 8 : lamp"}
    return Proof(
        offers={
            INK: Offer(name="ink", price=Decimal("0.10"), stock=10),
            LAMP: Offer(name="lamp", price=Decimal("19.99"), stock=3),
        },
        answers=[
            placed(1, line(INK, "ink", 3, "0.1", "0.3"), line(LAMP, "lamp", 1, "19.99", "19.99"), total="20.29"),
            placed(2, line(LAMP, "lamp", 2, "19.99", "39.98"), total="39.98"),
            Answer(basket={LAMP: 4}, status=400, body=refusal),
        ],
        stock_now={INK: 7, LAMP: 0},
    )


def test_finds_nothing_in_books_that_balance(books):
    assert list(books.discrepancies()) == []
    assert books.units_ordered == {INK: 3, LAMP: 3}


@pytest.mark.parametrize(
    ("stock_now", "found"),
    [
        ({INK: 8, LAMP: 0}, "product 7 ink: 2 units taken, 3 units ordered"),
        ({INK: 6, LAMP: 0}, "product 7 ink: 4 units taken, 3 units ordered"),
        ({LAMP: 0}, "product 7 ink: the shop no longer lists its stock"),
    ],
)
def test_finds_stock_that_does_not_match_the_orders(books, stock_now, found):
    assert list(replace(books, stock_now=stock_now).discrepancies()) == [found]


def test_finds_a_product_oversold_although_its_stock_matches(books):
    third = placed(3, line(LAMP, "lamp", 1, "19.99", "19.99"), total="19.99")
    oversold = replace(books, answers=[*books.answers, third], stock_now={INK: 7, LAMP: -1})

    assert list(oversold.discrepancies()) == ["product 8 lamp: oversold, 4 units ordered of 3"]


def test_finds_an_order_given_to_two_baskets(books):
    first, second, refused = books.answers
    doubled = replace(books, answers=[first, replace(second, body=second.body | {"id": 1}), refused])

    assert list(doubled.discrepancies()) == ["order 1: given to 2 baskets"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"total_price": Decimal("39.980000000000004")}, "order 2: the total is 39.980000000000004, due is 39.98"),
        ({"status": "pending"}, "order 2: the status is pending, due is completed"),
        ({"items": []}, "order 2: a line is nothing, due is 2 x 8 lamp at 19.99 = 39.98"),
        (
            {"items": [line(LAMP, "lamp", 2, "19.99", "39.99")]},
            "order 2: a line is 2 x 8 lamp at 19.99 = 39.99, due is 2 x 8 lamp at 19.99 = 39.98",
        ),
        (
            {"items": [line(LAMP, "lamp", 2, "19.90", "39.98")]},
            "order 2: a line is 2 x 8 lamp at 19.90 = 39.98, due is 2 x 8 lamp at 19.99 = 39.98",
        ),
        (
            {"items": [line(LAMP, "lamp", 1, "19.99", "39.98")]},
            "order 2: a line is 1 x 8 lamp at 19.99 = 39.98, due is 2 x 8 lamp at 19.99 = 39.98",
        ),
        (
            {"items": [line(LAMP, "lamp", 2, "19.99", "39.98"), line(INK, "ink", 1, "0.10", "0.10")]},
            "order 2: a line is 1 x 7 ink at 0.10 = 0.10, due is nothing",
        ),
    ],
)
def test_finds_an_answer_that_is_not_what_was_asked(books, change, found):
    first, second, refused = books.answers
    changed = replace(books, answers=[first, replace(second, body=second.body | change), refused])

    assert list(changed.discrepancies()) == [found]


def test_finds_a_refusal_of_what_is_still_there(books):
    refused = replace(books.answers[2], basket={INK: 7})

    assert list(replace(books, answers=[*books.answers[:2], refused]).discrepancies()) == [
        "refused though everything is in stock: Insufficient stock for product 8 : lamp"
    ]


@pytest.mark.parametrize(
    ("status", "body", "is_refusal", "is_unexpected"),
    [
        (400, {"code": "insufficient_stock"}, True, False),
        (409, {"code": "insufficient_stock"}, True, False),
        (400, {"code": "unknown_product"}, False, True),
        (503, {"code": "insufficient_stock"}, False, True),
        (201, {"id": 1}, False, True),
        (201, {"id": 1, "items": [], "total_price": "1.00", "status": "completed"}, False, True),
        (201, "<html>", False, True),
        (0, "Read timed out.", False, True),
    ],
)
def test_tells_a_refusal_from_an_unexpected_answer(status, body, is_refusal, is_unexpected):
    answer = Answer(basket={INK: 1}, status=status, body=body)

    assert (answer.is_refusal, answer.is_unexpected) == (is_refusal, is_unexpected)


# The command, against a shop in memory


class ShopInMemory(ThreadingHTTPServer):
    """Keeps the classic contract, but for the fault that a test plants."""

    daemon_threads = True
    fault = ""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Counterdesk)
        self.url = f"http://127.0.0.1:{port}"
        self.lock = threading.Lock()
        self.products: dict[int, dict[str, Any]] = {}
        self.orders: dict[str, dict[str, Any]] = {}

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def create_product(self, product: dict[str, Any]) -> tuple[int, Any]:
        if len(product["name"]) > 100:
            return 422, {"code": "invalid", "detail": "name: at most 100 characters"}
        number = len(self.products) + 1
        self.products[number] = {"id": number, **product}
        return 200, self.products[number]

    def create_order(self, lines: list[dict[str, int]], *, key: str) -> tuple[int, Any]:
        bought = [(self.products[item["product_id"]], item["quantity"]) for item in lines]
        for product, quantity in bought:
            if product["stock"] < quantity and self.fault != "oversells":
                detail = f"Insufficient stock for product {product['id']} : {product['name']}"
                return 400, {"code": "insufficient_stock", "detail": detail}
        for product, quantity in bought:
            product["stock"] -= quantity
        self.orders[key] = receipt(len(self.orders) + 1, bought)
        return 201, self.orders[key]


def receipt(number: int, bought: list[tuple[dict[str, Any], int]]) -> dict[str, Any]:
    items = [
        {
            "product_id": product["id"],
            "product_name": product["name"],
            "quantity": quantity,
            "price_at_time": product["price"],
            "subtotal": round(quantity * product["price"], 2),
        }
        for product, quantity in bought
    ]
    total = round(sum(item["subtotal"] for item in items), 2)
    return {"id": number, "items": items, "total_price": total, "status": "completed"}


class Counterdesk(BaseHTTPRequestHandler):
    server: ShopInMemory
    protocol_version = "HTTP/1.1"
    # One packet per answer; two would each time wait for the client's delayed acknowledgement.
    wbufsize = -1

    def do_GET(self) -> None:
        skip, limit = (int(parse_qs(urlsplit(self.path).query)[name][0]) for name in ("skip", "limit"))
        self.answer(200, list(self.server.products.values())[skip : skip + limit])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            if self.server.fault == "closed":
                self.answer(401, {"code": "not_authenticated", "detail": "Who are you?"})
            elif self.path == "/product/create_product":
                self.answer(*self.server.create_product(body))
            else:
                self.take_order(body["products"], key=self.headers["Idempotency-Key"])

    def take_order(self, lines: list[dict[str, int]], *, key: str) -> None:
        if key in self.server.orders:
            return self.answer(201, self.server.orders[key], **{"Idempotent-Replayed": "true"})
        match self.server.fault:
            case "fails":
                return self.answer(500, {"code": "internal_error", "detail": "It was us."})
            case "is busy":
                return self.answer(503, {"code": "busy", "detail": "Come back."}, **{"Retry-After": "0"})
            case "closes down" | "hangs up":
                self.close_connection = True
                return self.server.stop() if self.server.fault == "closes down" else None
        status, body = self.server.create_order(lines, key=key)
        match self.server.fault:
            case "is busy after each order":
                self.answer(503, {"code": "busy", "detail": "The outcome is unknown."}, **{"Retry-After": "0"})
            case "loses its gateway after each order":
                self.answer(502, "Bad gateway")
            case "hangs up after each order":
                self.close_connection = True
            case "takes its time":
                sleep(5)
            case _:
                self.answer(status, body)

    def answer(self, status: int, body: Any, **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[ShopInMemory]:
    server = listen()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.stop()


def listen() -> ShopInMemory:
    # Below the ports that the system gives to outgoing connections; not seeded, so that parallel tests differ.
    for port in SystemRandom().sample(range(20000, 30000), 50):
        with suppress(OSError):
            return ShopInMemory(port)
    raise OSError("no port is free")


def replay(file: Path, *, url: str, clients: int = 4) -> list[str]:
    """What the command prints, line by line."""
    output = StringIO()
    call_command(Command(stdout=output), str(file), url=url, clients=clients)
    return output.getvalue().splitlines()


@pytest.fixture
def two_baskets(tmp_path) -> Path:
    return write(tmp_path, b"ink,lamp,ink\nsofa\n")


@pytest.fixture
def a_hundred_baskets(tmp_path) -> Path:
    """For these the shop gets 126 ink, 71 lamps and 45 sofas."""
    return write(tmp_path, b"ink,lamp\nink,sofa\n" * 50)


@pytest.fixture
def retried_once(monkeypatch) -> None:
    """No waiting: only from the second retry on does the client back off."""
    monkeypatch.setattr("orders.replay.shop.RETRIED_AT_MOST", 1)
    monkeypatch.setattr("orders.replay.shop.RETRIES", RETRIES.new(total=1))


def test_sells_what_is_there_and_proves_it(shop, a_hundred_baskets):
    placed, refused, retries, _, proof = replay(a_hundred_baskets, url=shop.url)

    assert placed.startswith("Placed: 95 of 100 baskets in ")
    assert refused == "Refused: 5 x 400 insufficient_stock, e.g. Insufficient stock for product 3 : sofa"
    assert retries == "Retries: 0, 0 found the order already placed"
    assert proof == "Books balance: 190 units taken = 190 units ordered, in 95 orders."
    assert [(product["name"], product["stock"]) for product in shop.products.values()] == [
        ("ink", 126 - 95),
        ("lamp", 71 - 50),
        ("sofa", 0),
    ]
    assert len(shop.orders) == 95


def test_reads_the_stock_page_by_page(shop, a_hundred_baskets, monkeypatch):
    monkeypatch.setattr("orders.replay.shop.PAGE", 2)

    proof = replay(a_hundred_baskets, url=shop.url)[-1]

    assert proof == "Books balance: 190 units taken = 190 units ordered, in 95 orders."


def test_tells_a_shop_that_oversells(shop, a_hundred_baskets):
    shop.fault = "oversells"
    output = StringIO()

    with pytest.raises(CommandError, match=r"^The books do not balance\. Discrepancies: 1\.$"):
        call_command(Command(stdout=output), str(a_hundred_baskets), url=shop.url)

    assert output.getvalue().splitlines()[-1] == "product 3 sofa: oversold, 50 units ordered of 45"


@pytest.mark.parametrize("fault", ["is busy", "loses its gateway", "hangs up"])
def test_retries_with_the_same_key_and_finds_the_order_already_placed(shop, two_baskets, fault):
    shop.fault = f"{fault} after each order"

    lines = replay(two_baskets, url=shop.url)

    assert len(shop.orders) == 2
    assert "Retries: 2, 2 found the order already placed" in lines
    assert lines[-1] == "Books balance: 4 units taken = 4 units ordered, in 2 orders."


@pytest.mark.parametrize(
    ("fault", "told", "retries"),
    [
        ("fails", "Unexpected: 2 x 500 internal_error, e.g. It was us.", 0),
        ("is busy", "Unexpected: 2 x 503 busy, e.g. Come back.", 2),
        ("hangs up", "Unexpected: 2 x no answer, e.g. ('Connection aborted.', RemoteDisconnected(", 2),
    ],
)
def test_counts_unexpected_answers_and_ends_with_an_error(shop, two_baskets, retried_once, fault, told, retries):
    shop.fault = fault
    output = StringIO()

    with pytest.raises(CommandError, match=r"^Unexpected answers: 2\.$"):
        call_command(Command(stdout=output), str(two_baskets), url=shop.url)

    assert told in output.getvalue()
    assert f"Retries: {retries}, 0 found the order already placed" in output.getvalue()
    assert shop.orders == {}


def test_ends_when_nobody_listens_any_more(shop, two_baskets, retried_once):
    shop.fault = "closes down"

    with pytest.raises(CommandError, match=f"^{shop.url} can no longer be reached: .*Nothing was proved"):
        replay(two_baskets, url=shop.url)


def test_an_interrupt_waits_for_no_answer(shop, two_baskets, monkeypatch):
    def interrupted(iterable, *, unit, **_):
        if unit == "basket":
            sleep(0.2)  # the orders are on their way
            raise KeyboardInterrupt
        return iterable

    shop.fault = "takes its time"
    monkeypatch.setattr(replay_baskets, "tqdm", interrupted)
    started = monotonic()

    with pytest.raises(CommandError, match=r"^Stopped\.") as stopped:
        replay(two_baskets, url=shop.url)

    assert stopped.value.returncode == 130
    assert monotonic() - started < 4


def test_says_when_the_classic_calls_are_closed(shop, two_baskets):
    shop.fault = "closed"

    with pytest.raises(CommandError, match="answers 401: the classic calls must be open .* API_OPEN=classic"):
        replay(two_baskets, url=shop.url)


def test_says_which_product_the_shop_refuses(shop, tmp_path):
    file = write(tmp_path, b"x" * 101)

    with pytest.raises(CommandError, match="^POST /product/create_product {'name': 'x+', .* 422: name: at most 100"):
        replay(file, url=shop.url)

    assert shop.products == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Cannot read .*baskets.csv: No such file or directory."),
        (b"", "baskets.csv holds no basket."),
        (b" ,\n", "baskets.csv holds no basket."),
        ("jalapeño".encode("latin-1"), "baskets.csv is not CSV in UTF-8: 'utf-8' codec can't decode byte 0xf1"),
        (b"x" * 200_000, "baskets.csv is not CSV in UTF-8: field larger than field limit"),
    ],
)
def test_refuses_a_file_without_baskets(tmp_path, content, message):
    file = tmp_path / "baskets.csv" if content is None else write(tmp_path, content)

    with pytest.raises(CommandError, match=message):
        replay(file, url="http://127.0.0.1:1")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "localhost", "http://", "ftp://127.0.0.1", "http://[::1", ""])
def test_refuses_an_address_that_is_none(two_baskets, url):
    with pytest.raises(CommandError, match="^--url must be like http://127.0.0.1:8000, not "):
        replay(two_baskets, url=url)


@pytest.mark.parametrize("clients", [-1, 0, 65])
def test_refuses_too_few_and_too_many_clients(two_baskets, clients):
    with pytest.raises(CommandError, match=f"^--clients must be 1 to 64, not {clients}\\.$"):
        replay(two_baskets, url="http://127.0.0.1:1", clients=clients)


def test_says_when_nobody_listens(two_baskets):
    server = listen()
    server.server_close()

    with pytest.raises(CommandError, match=f"^Cannot reach {server.url}: .*Connection refused"):
        replay(two_baskets, url=server.url)
