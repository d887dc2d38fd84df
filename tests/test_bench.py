"""The measurement itself: what it counts is right, or it says so."""

from xml.etree import ElementTree

import orjson
import pytest

from bench.chart import chart
from bench.load import Tally, is_order, is_page, length_in, percentile
from bench.profile import place_of

ORDER = {"total_price": 44.48, "items": [{}, {}]}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (201, ORDER, True),
        (201, ORDER | {"total_price": "44.48"}, True),
        (201, ORDER | {"total_price": 44.49}, False),
        (201, ORDER | {"items": [{}]}, False),
        (200, ORDER, False),
        (400, {"detail": "Insufficient stock for product 2 : Ink"}, None),
        (409, {"code": "insufficient_stock"}, None),
        (400, {"detail": "Product with ID 999 not found"}, False),
        (500, {}, False),
    ],
)
def test_an_order_counts_only_if_its_answer_is_right(status, body, outcome):
    assert is_order(4448, 2)(status, orjson.dumps(body)) is outcome


def test_a_page_counts_only_if_it_is_the_one_that_was_asked_for():
    page = [{"id": number} for number in range(201, 301)]

    assert is_page(201)(200, orjson.dumps(page)) is True
    assert is_page(101)(200, orjson.dumps(page)) is False
    assert is_page(201)(200, orjson.dumps(page[:-1])) is False
    assert is_page(201)(500, orjson.dumps(page)) is False


def test_percentiles_are_in_milliseconds():
    assert percentile([n / 1000 for n in range(1, 101)], 50) == 51.0
    assert percentile([n / 1000 for n in range(1, 101)], 99) == 100.0
    assert percentile([0.25], 99) == 250.0
    assert percentile([], 50) is None


def test_wrong_answers_are_told_apart():
    tally = Tally(done=[0.1], refused=[0.2, 0.3], wrong=["500"])

    counted = tally.counted()

    assert (counted["done"], counted["refused"], counted["wrong"]) == (1, 2, ["500"])


def test_the_length_of_an_answer_is_read_whatever_the_case_of_its_header():
    assert length_in(b"HTTP/1.1 201 Created\r\ncontent-length: 17\r\nServer: x") == 17
    assert length_in(b"HTTP/1.1 201 Created\r\nServer: x\r\nContent-Length: 9") == 9


def test_a_sample_belongs_to_whoever_is_innermost():
    shop, orm, driver = "place (orders/placing.py:1)", "get (x/django/db/models/query.py:2)", "wait (x/psycopg/a.py:3)"

    assert place_of(f"{shop};{orm};{driver}") == "psycopg"
    assert place_of(f"{driver};{orm};copy (lib/copy.py:3)") == "Django's ORM"


def test_the_chart_draws_what_was_measured_beside_the_classic_design():
    ratio = {"median": 3.0, "least": 2.5, "greatest": 4.0}
    rows = [{"work": "3 lines & more", "classic": ratio}, {"work": "by API v1", "classic": None}]

    drawn = ElementTree.fromstring(chart(rows, "classic"))

    words = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"3 lines & more", "3.0 x"} <= set(words)
    assert "by API v1" not in words
