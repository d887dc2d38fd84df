"""Lists of API v1: by page, by cursor, in an order, filtered; whatever they are asked, they answer."""

import base64
import json

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework.request import Request

from catalog.models import Product
from catalog.services import update_product
from catalog.views import ProductViewSet
from ecommerce.api import pagination
from orders.models import Order
from orders.services import cancel_order
from tests.factories import TEST, ProductFactory, place
from tests.v1 import ORDERS, PRODUCTS, order_url, product_url

MANY = 20_000


def numbers(answer) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["number"] for row in answer.json()["results"]]


def walk(api, address, *, link="next") -> list[int]:
    """Every row that the links lead to."""
    found = []
    while address:
        answer = api.get(address)
        found += numbers(answer)
        address = answer.json()[link]
    return found


@pytest.fixture
def equal_products(transactional_db) -> list[int]:
    """Twelve of one price, three of another."""
    return [ProductFactory(price="5" if n % 5 else "9").pk for n in range(15)]


@pytest.mark.parametrize(
    "ordering", ["number", "-number", "price", "-price", "name", "-name", "updated_at", "-updated_at"]
)
@pytest.mark.parametrize("page_size", [1, 4, 15, 200])
def test_the_cursors_lead_through_every_row_once_and_back(api, equal_products, ordering, page_size):
    address = f"{PRODUCTS}?ordering={ordering}&page_size={page_size}"
    column = {"number": "pk"}.get(ordering.lstrip("-"), ordering.lstrip("-"))
    rows = Product.objects.order_by(*(f"{'-' if ordering[0] == '-' else ''}{name}" for name in {column: 0, "pk": 0}))
    in_order = list(rows.values_list("pk", flat=True))

    assert walk(api, address) == in_order

    last = address
    while following := api.get(last).json()["next"]:
        last = following
    pages = []
    while last:
        answer = api.get(last)
        pages.insert(0, numbers(answer))
        last = answer.json()["previous"]
    assert [pk for page in pages for pk in page] == in_order


def test_page_numbers_lead_through_every_row_and_carry_the_filters_on(api, equal_products):
    first = api.get(f"{PRODUCTS}?page=1&page_size=4&max_price=5")
    body = first.json()

    assert body["next"] == f"http://testserver{PRODUCTS}?max_price=5&page=2&page_size=4"
    assert first["Link"] == f'<{body["next"]}>; rel="next"'
    assert (body["previous"], body["count"], body["count_is_estimate"]) == (None, 12, False)
    assert len(walk(api, body["next"])) == 8
    assert numbers(api.get(f"{PRODUCTS}?page=99")) == []


def test_a_row_that_comes_or_goes_meanwhile_moves_no_other(api, equal_products):
    first = api.get(f"{PRODUCTS}?ordering=price&page_size=4").json()
    seen = [row["number"] for row in first["results"]]
    update_product(seen[0], {"price": "99"}, cause=TEST)
    update_product(seen[3], {"is_active": False}, cause=TEST)
    ProductFactory(price="1")

    rest = walk(api, first["next"])

    assert sorted([*seen[1:], *rest]) == sorted([*set(equal_products) - {seen[0]}, seen[0]])


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=abc",
        "page=1e3",
        "page=99999999999999999999999",
        "page=201",
        "page=50&page_size=201",
        "page_size=0",
        "page_size=201",
        "page_size=100000000000",
        "page=",
        "page=1&page=2",
        "page=1&cursor=x",
        "ordering=nope",
        "ordering=--price",
        "ordering=stock",
        "ordering=price,name",
        "ordering=",
        "limit=5",
        "offset=5",
        "%00=1",
        "sku__startswith=a",
        "sku=%00",
        "sku=",
        "sku=a&sku=b",
        f"sku={'x' * 65}",
        "number=0",
        "number=-1",
        "number=1.0",
        "number=1_0",
        "number=+1",
        "number=%D9%A1",
        "number=9223372036854775808",
        "min_price=NaN",
        "min_price=Infinity",
        "min_price=1e400",
        "min_price=1_0",
        "min_price=-1",
        "min_price=1.005",
        "in_stock=maybe",
        "in_stock=1",
        "is_active=True",
        "is_active=1",
        "created_since=yesterday",
        "created_since=2026-01-01",
        "created_since=2026-01-01T00:00:00",
        "created_since=0001-01-01T00:00:00%2B14:00",
        "created_since=9999-12-31T23:59:59-12:00",
        "created_since=99999-01-01T00:00:00Z",
        "updated_since=2026-01-01T00:00:00+00:00",
        "search=",
        "search=%00",
        f"search={'x' * 201}",
        "<script>=1",
    ],
)
def test_an_odd_parameter_is_refused_and_never_ignored(api, query):
    answer = api.get(f"{PRODUCTS}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), query
    assert all(set(error) == {"parameter", "code", "message"} for error in answer.json()["errors"])
    assert "script" not in answer.content.decode()


@pytest.mark.parametrize(
    "query", ["status=nope", "shipped=1", "min_total=NaN", "customer=%00", "placed_by=x", "number=x"]
)
def test_so_it_is_with_orders(api, query):
    assert api.get(f"{ORDERS}?{query}").status_code == 422


def cursor_of(*parts) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


FORGED = [
    "p=abc",
    "AAAA",
    "====",
    "é",
    "x" * 2001,
    base64.urlsafe_b64encode(b"null").decode(),
    base64.urlsafe_b64encode(b"[" * 700).decode(),
    base64.urlsafe_b64encode(b'{"a": 1}').decode(),
    cursor_of("name", "Lamp", 1, False),
    cursor_of("price", "NaN", 1, False),
    cursor_of("price", "Infinity", 1, False),
    cursor_of("price", "1e400", 1, False),
    cursor_of("price", "x", 1, False),
    cursor_of("price", 5, 1, False),
    cursor_of("price", ["5"], 1, False),
    cursor_of("price", None, 1, False),
    cursor_of("price", "5", "1", False),
    cursor_of("price", "5", 0, False),
    cursor_of("price", "5", 2**63, False),
    cursor_of("price", "5", True, False),
    cursor_of("price", "5", 1, 0),
    cursor_of("price", "5", 1),
    cursor_of("price", "5", 1, False, 1),
    cursor_of("-price", "5", 1, False),
]


@pytest.mark.parametrize("cursor", FORGED, ids=range(len(FORGED)))
def test_a_forged_cursor_is_refused(api, cursor):
    answer = api.get(PRODUCTS, {"ordering": "price", "cursor": cursor})

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "cursor")


@pytest.mark.parametrize("value", ["a\x00b", "x" * 256, ""])
def test_a_forged_text_is_refused(api, value):
    assert api.get(PRODUCTS, {"ordering": "name", "cursor": cursor_of("name", value, 1, False)}).status_code == 422


@pytest.mark.parametrize(
    "value", ["2026-01-01", "2026-01-01T00:00:00", "99999-01-01T00:00:00Z", "x", "2026-13-01T00:00:00Z"]
)
def test_a_forged_time_is_refused(api, value):
    cursor = cursor_of("updated_at", value, 1, False)

    assert api.get(PRODUCTS, {"ordering": "updated_at", "cursor": cursor}).status_code == 422


def found(api, **parameters) -> list[str]:
    return [row["sku"] for row in api.get(PRODUCTS, parameters).json()["results"]]


def test_filters_products(api):
    ProductFactory(sku="LAMP", price="20", stock=3)
    ProductFactory(sku="INK", price="5.50", stock=0)
    gone = ProductFactory(sku="OLD", price="7", stock=1)
    update_product(gone.pk, {"is_active": False}, cause=TEST)

    assert found(api) == ["LAMP", "INK"]
    assert found(api, min_price="5.51") == ["LAMP"]
    assert found(api, max_price="5.5") == ["INK"]
    assert (found(api, in_stock="true"), found(api, in_stock="false")) == (["LAMP"], ["INK"])
    assert (found(api, is_active="false"), found(api, is_active="any")) == (["OLD"], ["LAMP", "INK", "OLD"])
    assert (found(api, sku="OLD"), found(api, sku="OLD", is_active="any")) == ([], ["OLD"])
    assert found(api, created_since="2999-01-01T00:00:00Z") == []
    assert found(api, updated_since="2000-01-01T00:00:00+02:00") == ["LAMP", "INK"]


def test_search_finds_words_and_their_beginnings_in_any_order(api):
    ProductFactory(sku="INK-BLUE-01", name="Ink, blue", description="50 ml; washes out")
    ProductFactory(sku="PEN", name="Füllfeder", description="takes every ink")

    for text in ("INK-BLUE-01", "ink-b", "blue 01", "wash 50", "out, blue!", "BLUE"):
        assert found(api, search=text) == ["INK-BLUE-01"], text
    assert found(api, search="ink") == ["INK-BLUE-01", "PEN"]
    assert found(api, search="füll") == ["PEN"]
    assert found(api, search="lue") == []


@pytest.fixture
def dear_lamps(transactional_db) -> list[int]:
    """By price: twenty things, of which those from the fifteenth on are lamps."""
    return [ProductFactory(price=f"{n + 1}", name="Lamp" if n >= 14 else "Sofa").pk for n in range(20)][14:]


@pytest.mark.parametrize("ordering", ["price", "-price", "number", "-name"])
@pytest.mark.parametrize("max_count", [2, 10_000])  # above it a search looks for its matches among the next rows first
@pytest.mark.parametrize("window", [1, 4, 100])
def test_a_search_finds_all_of_it_wherever_it_lies(api, dear_lamps, monkeypatch, ordering, max_count, window):
    monkeypatch.setattr(pagination, "MAX_COUNT", max_count)
    monkeypatch.setattr(pagination, "WINDOW", window)
    in_order = dear_lamps[::-1] if ordering[0] == "-" else dear_lamps
    address = f"{PRODUCTS}?search=lamp&ordering={ordering}&page_size=2"

    assert walk(api, address) == in_order
    assert [numbers(api.get(f"{address}&page={page}")) for page in (1, 2, 3)] == [
        in_order[:2],
        in_order[2:4],
        in_order[4:],
    ]
    last = api.get(api.get(address).json()["next"]).json()["next"]
    assert numbers(api.get(api.get(last).json()["previous"])) == in_order[2:4]


def test_a_search_does_not_walk_the_index_of_its_ordering(api, dear_lamps):
    """Which would be the whole table, where two words that are common each are never together."""
    with CaptureQueriesContext(connection) as captured:
        api.get(f"{PRODUCTS}?search=lamp&ordering=price")

    [page] = [query["sql"] for query in captured if "ORDER BY" in query["sql"] and "@@" in query["sql"]]
    assert "ORDER BY COALESCE(" in page


@pytest.mark.parametrize("text", ["&", "| !", "':*", "\\", "foo & | ! ( ) : * ' \\", "<->", "a' & 'b", "%", "²", "'"])
def test_no_search_is_an_operator(api, text):
    ProductFactory(name="Lamp")

    assert api.get(PRODUCTS, {"search": text}).json()["results"] == []


def test_counts_to_ten_thousand_then_estimates_and_never_lies(api, monkeypatch):
    for _ in range(5):
        ProductFactory()
    monkeypatch.setattr(pagination, "MAX_COUNT", 3)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_product")
    estimated = api.get(f"{PRODUCTS}?page_size=4").json()
    lied = api.get(f"{PRODUCTS}?search=product").json()

    assert (estimated["count"], estimated["count_is_estimate"]) == (5, True)
    assert (len(lied["results"]), lied["count_is_estimate"]) == (5, True)
    assert lied["count"] is None or lied["count"] >= 4


@pytest.fixture
def lists(api) -> list[str]:
    """One of each kind, all of which an order changes."""
    lamp = ProductFactory(stock=10)
    ProductFactory()
    placed = place({lamp: 1})
    return [
        f"{PRODUCTS}?page_size=1",
        f"{product_url(lamp)}movements/?page_size=1",
        f"{ORDERS}?page_size=1",
        f"{order_url(placed.order)}events/",
    ]


def test_a_list_that_is_known_is_not_sent_again(api, lists):
    for address in lists:
        first = api.get(address)
        again, weak, any_of_it, other = (
            api.get(address, headers={"If-None-Match": tag})
            for tag in (first["ETag"], f'"x", W/{first["ETag"]}', "*", '"x"')
        )

        assert {(answer.status_code, answer.content) for answer in (again, weak, any_of_it)} == {(304, b"")}
        assert (again["ETag"], again["Vary"]) == (first["ETag"], first["Vary"])
        assert not {"Content-Length", "Content-Type", "Link"} & set(again.headers)
        assert (other.status_code, other.content, other["ETag"]) == (200, first.content, first["ETag"])


def test_a_list_has_another_tag_once_it_shows_something_else(api, lists):
    seen = {address: api.get(address)["ETag"] for address in lists}
    assert len(set(seen.values())) == 4

    cancel_order(Order.objects.get().pk, done_by="staff:1")
    place({Product.objects.order_by("pk").first(): 2})

    for address, tag in seen.items():
        answer = api.get(address, headers={"If-None-Match": tag})
        assert (answer.status_code, answer["ETag"] == tag) == (200, False), address


def test_a_list_is_asked_for_its_tag_alone(api, lists):
    for address in lists:
        full, head = api.get(address), api.head(address)
        known = api.head(address, headers={"If-None-Match": head["ETag"]})

        assert (head.status_code, head.content, head["ETag"]) == (200, b"", full["ETag"])
        assert (known.status_code, known.content) == (304, b"")


def test_a_refusal_has_no_tag(api):
    refused = api.get(f"{PRODUCTS}?page=0", headers={"If-None-Match": "*"})

    assert refused.status_code == 422
    assert "ETag" not in refused


@pytest.fixture
def many_products(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_product (uuid, sku, name, description, price, image_url, is_active, options, version)"
            " SELECT gen_random_uuid(), 'S' || n, 'Thing ' || mod(n, 100), '', 1 + mod(n, 10), '', true, '[]', 1"
            " FROM generate_series(1, %s) n",
            [MANY],
        )
        cursor.execute(
            "INSERT INTO catalog_stock (product_id, available, committed) SELECT id, 0, 0 FROM catalog_product"
        )
        cursor.execute("ANALYZE catalog_product, catalog_stock")


def rows_read(query, parameters) -> float:
    """The most rows that any node of the plan really read."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", parameters)
        [[[plan]]] = cursor.fetchall()

    def most(node) -> float:
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        return max([read, *(most(inner) for inner in node.get("Plans", []))])

    return most(plan["Plan"])


@pytest.mark.usefixtures("many_products")
@pytest.mark.parametrize("ordering", ["number", "-number", "price", "-price", "name", "-updated_at"])
def test_a_page_reads_about_as_many_rows_as_it_shows_however_deep_it_is(ordering):
    for page in ({}, {"cursor": deep_cursor(ordering)}):
        queries = []

        def remember(execute, sql, parameters, many, context, queries=queries):
            queries.append((sql, parameters))
            return execute(sql, parameters, many, context)

        with connection.execute_wrapper(remember):
            rows = page_of(ordering, **page)

        assert len(rows) == 50
        [page_query] = [query for query in queries if "LIMIT 51" in query[0]]
        assert rows_read(*page_query) <= 110, page_query


def deep_cursor(ordering: str) -> str:
    order = pagination.chosen_order(ProductViewSet, ordering, Product)
    row = order.sort(Product.objects.all(), backwards=False)[MANY // 2]
    value = getattr(row, order.column.attname)
    return pagination.Place(value=value, pk=row.pk, backwards=False).as_cursor(order)


def page_of(ordering: str, **parameters) -> list[Product]:
    request = Request(RequestFactory().get(PRODUCTS, {"ordering": ordering, **parameters}))
    products = ProductViewSet().get_queryset().on_sale()
    return pagination.KeysetPagination().paginate_queryset(products, request, ProductViewSet)
