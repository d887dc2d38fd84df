"""The load, in a process of its own: `python -m bench.load < job.json`, and what came of it is printed as JSON.

Keep-alive connections that each send the next request when the answer to the last one has come and is right. It reads
bytes by hand and makes its requests beforehand, because it shares the machine's cores with the servers that it
measures, and is the same for all of them.
"""

import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

AHEAD = 2_000  # requests that are made beforehand, for each second

Check = Callable[[int, bytes], bool | None]  # True: done; None: refused, for lack of stock; False: a wrong answer


@dataclass
class Tally:
    done: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    last_refusal: str = ""

    def counted(self) -> dict[str, Any]:
        return {
            "done": len(self.done),
            "refused": len(self.refused),
            "wrong": self.wrong[:3],
            "last_refusal": self.last_refusal,
            **{f"p{rank}": percentile(self.done, rank) for rank in (50, 99)},
            **{f"refused_p{rank}": percentile(self.refused, rank) for rank in (50, 99)},
        }


def percentile(seconds: list[float], rank: int) -> float | None:
    """In milliseconds."""
    return round(sorted(seconds)[min(len(seconds) - 1, len(seconds) * rank // 100)] * 1000, 2) if seconds else None


class Connection(asyncio.Protocol):
    def __init__(self, work: Iterator[tuple[bytes, Check]], tally: Tally, until: float) -> None:
        self.work, self.tally, self.until = work, tally, until
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.sent = time.perf_counter()
        self.waiting = False
        if self.sent > self.until:
            self.transport.close()
            return
        request, self.check = next(self.work)
        self.received, self.waiting = b"", True
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if found and len(body) >= length_in(head):
            self.answered(int(head[9:12]), body, closes=b"\nconnection: close" in head.lower())

    def answered(self, status: int, body: bytes, *, closes: bool) -> None:
        took, self.waiting = time.perf_counter() - self.sent, False
        right = self.check(status, body)
        if right is False:
            self.tally.wrong.append(f"{status} {body[:300]!r}")
        else:
            (self.tally.done if right else self.tally.refused).append(took)
            self.tally.last_refusal = self.tally.last_refusal if right else body.decode()
        if closes:
            self.transport.close()
        else:
            self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if self.waiting:
            self.tally.wrong.append("no answer")
        self.closed.set_result(None)


def length_in(head: bytes) -> int:
    start = head.lower().index(b"content-length:") + 15
    return int(head[start : start + 12].split(b"\r\n")[0])


def request(method: str, path: str, body: object = None, headers: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: shop.example.com\r\n{headers}"
    if body is None:
        return f"{head}\r\n".encode()
    content = orjson.dumps(body)
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def orders(job: dict[str, Any]) -> Iterator[tuple[bytes, Check]]:
    """Each of `lines` products of `products` (number, uuid, price in cents), with 1 to 3 units of each."""
    while True:
        chosen = [(product, random.randint(1, 3)) for product in random.sample(job["products"], job["lines"])]
        total = sum(price * quantity for (_, _, price), quantity in chosen)
        yield (v1_order if job["kind"] == "v1" else classic_order)(chosen, job), is_order(total, len(chosen))


def classic_order(chosen: list[Any], job: dict[str, Any]) -> bytes:
    lines = [{"product_id": number, "quantity": quantity} for (number, _, _), quantity in chosen]
    return request("POST", "/order/create_order", {"products": lines})


numbers = itertools.count()


def v1_order(chosen: list[Any], job: dict[str, Any]) -> bytes:
    lines = [{"product": uuid, "quantity": quantity} for (_, uuid, _), quantity in chosen]
    key = f"{job['run']}-{next(numbers)}"
    headers = f"Authorization: Bearer {job['token']}\r\nIdempotency-Key: {key}\r\n"
    return request("POST", "/api/v1/orders", {"items": lines}, headers)


def is_order(total: int, lines: int) -> Check:
    def check(status: int, body: bytes) -> bool | None:
        if status in (400, 409) and b"nsufficient" in body:
            return None
        if status != 201:
            return False
        order = orjson.loads(body)
        return round(float(order["total_price"]) * 100) == total and len(order["items"]) == lines

    return check


def pages(job: dict[str, Any]) -> Iterator[tuple[bytes, Check]]:
    """Pages of 100 anywhere among `rows` products."""
    while True:
        skip = random.randrange(0, job["rows"], 100)
        yield request("GET", f"/product/all_products?skip={skip}&limit=100"), is_page(skip + 1)


def is_page(first: int) -> Check:
    def check(status: int, body: bytes) -> bool:
        if status != 200:
            return False
        page = orjson.loads(body)
        return len(page) == 100 and page[0]["id"] == first

    return check


def calls(job: dict[str, Any]) -> Iterator[tuple[bytes, Check]]:
    """These addresses, in no order, each as a client with a token, or as staff who are logged in."""
    as_staff, as_client = f"Cookie: __Host-sessionid={job['session']}\r\n", f"Authorization: Bearer {job['token']}\r\n"
    headers = as_staff if job["kind"] == "staff" else as_client
    while True:
        yield request("GET", random.choice(job["addresses"]), headers=headers), lambda status, body: status == 200


KINDS = {"classic": orders, "v1": orders, "list": pages, "calls": calls, "staff": calls}


async def run(job: dict[str, Any], seconds: float) -> dict[str, Any]:
    tally, endless = Tally(), KINDS[job["kind"]](job)
    work = itertools.chain(list(itertools.islice(endless, int(AHEAD * seconds))), endless)
    loop, started = asyncio.get_running_loop(), time.perf_counter()

    async def keep_connected() -> None:
        while time.perf_counter() < started + seconds:
            _, connection = await loop.create_connection(
                lambda: Connection(work, tally, started + seconds), "127.0.0.1", job["port"]
            )
            await connection.closed

    await asyncio.gather(*(keep_connected() for _ in range(job["clients"])))
    return {**tally.counted(), "seconds": time.perf_counter() - started}


def main() -> None:
    import uvloop  # of .venv-bench alone

    job = json.load(sys.stdin)
    print(json.dumps(uvloop.run(run(job, job["seconds"]))))


if __name__ == "__main__":
    main()
