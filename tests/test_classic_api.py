"""The classic contract: a client of it changes nothing but the address."""

import json

import pytest

from catalog.models import MAX_STOCK, Product, StockMovement
from orders.models import Order, OrderEvent
from tests.factories import ProductFactory, available, ledger, place
from tests.races import race

PRODUCTS, NEW_PRODUCT, NEW_ORDER = "/product/all_products", "/product/create_product", "/order/create_order"
LAMP = {"name": "Lamp", "description": "Warm light", "price": 19.99, "stock": 10}


def post(api, path, body, **headers):
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    return api.post(path, content, content_type="application/json", headers=headers)


def order(api, *lines, **headers):
    products = [{"product_id": product.pk, "quantity": quantity} for product, quantity in lines]
    return post(api, NEW_ORDER, {"products": products}, **headers)


def test_greets(api):
    answer = api.get("/")

    assert (answer.status_code, answer.json()) == (200, {"message": "welcome to e-commerce platform project!"})


def test_greets_a_browser_with_a_page(api):
    answer = api.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert answer["Content-Type"].startswith("text/html")
    for address in ("/docs", "/redoc", "/admin/"):
        assert f'href="{address}"' in answer.content.decode()


def test_is_healthy_whatever_the_host_and_without_the_database(client):
    answer = client.get("/health", headers={"Host": "10.0.0.7:9999"})

    assert (answer.status_code, answer.json()) == (200, {"status": "healthy"})


def test_creates_a_product(api):
    answer = post(api, NEW_PRODUCT, LAMP)

    product = Product.objects.get()
    assert answer.status_code == 200
    assert answer.content.decode() == (
        f'{{"id":{product.pk},"name":"Lamp","description":"Warm light","price":19.99,"stock":10}}'
    )
    assert ledger(product) == [("opening", 10, 0, 10)]


@pytest.mark.parametrize(
    "body",
    [
        LAMP | {"price": "19.99", "stock": "10"},
        LAMP | {"stock": 10.0},
        LAMP | {"colour": "brass"},
        b'{"name": "Lamp", "description": "Warm light", "price": 1999e-2, "stock": 10}',
    ],
)
def test_takes_lax_numbers_and_further_fields(api, body):
    assert post(api, NEW_PRODUCT, body).json()["price"] == 19.99
    assert available(Product.objects.get()) == 10


def test_shows_the_text_as_it_was_sent(api):
    text = {"name": " Lämp <b>\u202e ", "description": "=1+1\n\t'\"; DROP TABLE"}

    answer = post(api, NEW_PRODUCT, LAMP | text)

    assert {"name": answer.json()["name"], "description": answer.json()["description"]} == text


BAD_PRODUCTS = [
    ({"name": ""}, "/name"),
    ({"name": "x" * 101}, "/name"),
    ({"name": None}, "/name"),
    ({"name": ["Lamp"]}, "/name"),
    ({"name": 123}, "/name"),
    ({"name": 1.5}, "/name"),
    ({"name": "a\x00b"}, "/name"),
    ({"name": "a\ud83d"}, "/name"),
    ({"description": ""}, "/description"),
    ({"description": {}}, "/description"),
    ({"price": 0}, "/price"),
    ({"price": -1}, "/price"),
    ({"price": -0.0}, "/price"),
    ({"price": 0.001}, "/price"),
    ({"price": 1.005}, "/price"),
    ({"price": 0.1 + 0.2}, "/price"),
    ({"price": 10_000_000_000}, "/price"),
    ({"price": "NaN"}, "/price"),
    ({"price": "sNaN"}, "/price"),
    ({"price": "Infinity"}, "/price"),
    ({"price": "1e2"}, "/price"),
    ({"price": "1e99999999"}, "/price"),
    ({"price": "1_000"}, "/price"),
    ({"price": " 5 "}, "/price"),
    ({"price": "٣.٥"}, "/price"),
    ({"price": True}, "/price"),
    ({"price": [1]}, "/price"),
    ({"price": "9" * 5000}, "/price"),
    ({"stock": -1}, "/stock"),
    ({"stock": 1.5}, "/stock"),
    ({"stock": True}, "/stock"),
    ({"stock": None}, "/stock"),
    ({"stock": "1_0"}, "/stock"),
    ({"stock": " 5 "}, "/stock"),
    ({"stock": "１２"}, "/stock"),
    ({"stock": "0b1"}, "/stock"),
    ({"stock": MAX_STOCK + 1}, "/stock"),
    ({"stock": 10**40}, "/stock"),
]


@pytest.mark.parametrize(("change", "pointer"), BAD_PRODUCTS)
def test_refuses_a_bad_product(api, change, pointer):
    answer = post(api, NEW_PRODUCT, LAMP | change)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert isinstance(answer.json()["detail"], str)
    assert not Product.objects.exists()


def test_lists_products_in_the_order_of_their_ids(api):
    lamp, ink, old = ProductFactory(stock=3), ProductFactory(stock=0), ProductFactory(is_active=False)
    place({lamp: 1})

    answer = api.get(PRODUCTS)

    assert [(row["id"], row["stock"]) for row in answer.json()] == [(lamp.pk, 2), (ink.pk, 0)]
    assert list(answer.json()[0]) == ["id", "name", "description", "price", "stock"]
    assert old.pk not in [row["id"] for row in answer.json()]


@pytest.mark.parametrize(
    ("query", "places"),
    [("", [0, 1, 2]), ("?limit=2", [0, 1]), ("?skip=1", [1, 2]), ("?skip=1&limit=1", [1]), ("?limit=0", [])],
)
def test_skips_and_limits(api, query, places):
    products = [ProductFactory() for _ in range(3)]

    assert [row["id"] for row in api.get(PRODUCTS + query).json()] == [products[place].pk for place in places]


@pytest.mark.parametrize(
    "query", ["skip=-1", "limit=-1", "limit=100001", "skip=x", "limit=1.5", "limit=%00", "skip=", "skip=0&skip=1"]
)
def test_refuses_bad_parameters(api, query):
    answer = api.get(f"{PRODUCTS}?{query}")

    assert answer.status_code == 422
    assert [error["parameter"] for error in answer.json()["errors"]] == [query.split("=")[0]]


def test_lists_a_page_in_one_statement(api, django_assert_num_queries):
    for _ in range(20):
        ProductFactory()

    with django_assert_num_queries(1):
        assert len(api.get(PRODUCTS).json()) == 20


def test_places_an_order(api):
    lamp, ink = ProductFactory(name="Lamp", price="19.99"), ProductFactory(name="Ink", price="4.50")

    answer = order(api, (lamp, 2), (ink, 1))

    assert answer.status_code == 201
    assert answer.content.decode() == (
        f'{{"id":{Order.objects.get().pk},"items":['
        f'{{"product_id":{lamp.pk},"product_name":"Lamp","quantity":2,"price_at_time":19.99,"subtotal":39.98}},'
        f'{{"product_id":{ink.pk},"product_name":"Ink","quantity":1,"price_at_time":4.5,"subtotal":4.5}}],'
        f'"total_price":44.48,"status":"completed"}}'
    )
    assert (available(lamp), available(ink)) == (8, 9)
    assert Order.objects.get().placed_by == "open"


def test_shows_large_totals_exactly(api):
    dear = ProductFactory(price="9999999999.99")

    assert '"total_price":99999999999.9' in order(api, (dear, 10)).content.decode()
    assert order(api, (ProductFactory(price="0.10"), 1), (ProductFactory(price="0.20"), 1)).json()["total_price"] == 0.3


def test_refuses_an_order_that_is_short(api):
    lamp, ink = ProductFactory(name="Lamp"), ProductFactory(name="Ink", stock=2)

    answer = order(api, (lamp, 1), (ink, 5))

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "insufficient_stock"
    assert answer.json()["detail"] == f"Insufficient stock for product {ink.pk} : Ink"
    short = {"product": str(ink.uuid), "number": ink.pk, "sku": ink.sku, "wanted": 5, "available": 2}
    assert answer.json()["shortages"] == [short]
    assert (available(lamp), available(ink)) == (10, 2)


def test_refuses_an_unknown_product(api):
    answer = post(api, NEW_ORDER, {"products": [{"product_id": 999, "quantity": 1}]})

    assert (answer.status_code, answer.json()["detail"]) == (400, "Product with ID 999 not found")
    assert not Order.objects.exists()


LINE = {"product_id": 1, "quantity": 1}
BAD_ORDERS = [
    ({}, "/products"),
    ({"products": None}, "/products"),
    ({"products": []}, "/products"),
    ({"products": {}}, "/products"),
    ({"products": "x"}, "/products"),
    ({"products": [LINE] * 2001}, "/products"),
    ({"products": [1]}, "/products/0"),
    ({"products": [LINE, {"product_id": 1}]}, "/products/1/quantity"),
    *[
        ({"products": [LINE, LINE | {"quantity": bad}]}, "/products/1/quantity")
        for bad in (0, -1, 1.5, True, None, [], "1e4", "1_0", " 5 ", "１２", "0b1", 1_000_001, 2**63, 10**40)
    ],
    *[
        ({"products": [LINE | {"product_id": bad}]}, "/products/0/product_id")
        for bad in (0, -1, 1.5, False, None, {}, "x", 2**63, 10**40)
    ],
]


@pytest.mark.parametrize(("body", "pointer"), BAD_ORDERS)
def test_refuses_a_bad_order(api, body, pointer):
    answer = post(api, NEW_ORDER, body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Order.objects.exists()


def test_a_body_that_is_no_object_is_refused(api):
    for body in ([], 1, "x", None):
        assert post(api, NEW_ORDER, json.dumps(body)).status_code == 422


def test_names_at_most_twenty_errors(api):
    answer = post(api, NEW_ORDER, {"products": [{"product_id": "x", "quantity": "x"}] * 1000})

    assert len(answer.json()["errors"]) == 20
    assert len(answer.content) < 4096


def test_takes_numeric_strings_in_an_order(api):
    lamp = ProductFactory()

    answer = post(api, NEW_ORDER, {"products": [{"product_id": str(lamp.pk), "quantity": "2"}]})

    assert answer.status_code == 201
    assert available(lamp) == 8


def test_a_retry_with_its_key_gets_the_same_order(api):
    lamp = ProductFactory(stock=1)

    first = order(api, (lamp, 1), **{"Idempotency-Key": "k-1"})
    again = order(api, (lamp, 1), **{"Idempotency-Key": "k-1"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")


def test_a_key_with_another_body_is_refused(api):
    lamp = ProductFactory()
    order(api, (lamp, 1), **{"Idempotency-Key": "k-1"})

    answer = order(api, (lamp, 2), **{"Idempotency-Key": "k-1"})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert available(lamp) == 9


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "schlüssel", "a\tb"])
def test_a_malformed_key_is_refused(api, key):
    lamp = ProductFactory()

    answer = order(api, (lamp, 1), **{"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
    assert available(lamp) == 10


def test_without_a_key_every_call_is_an_order(api):
    lamp = ProductFactory()

    assert order(api, (lamp, 1)).json()["id"] != order(api, (lamp, 1)).json()["id"]


def test_twelve_calls_at_once_with_one_key_place_one_order(api):
    lamp = ProductFactory()

    answers = race([lambda: order(api, (lamp, 1), **{"Idempotency-Key": "k-1"})] * 12)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert (Order.objects.count(), available(lamp)) == (1, 9)


@pytest.mark.parametrize("path", [PRODUCTS, "/health"])
def test_a_path_answers_with_its_final_slash_too(api, path):
    assert api.get(f"{path}/").status_code == 200


def test_a_post_to_a_path_with_a_final_slash_is_no_redirect(api):
    lamp = ProductFactory()

    assert post(api, f"{NEW_PRODUCT}/", LAMP).status_code == 200
    assert post(api, f"{NEW_ORDER}/", {"products": [{"product_id": lamp.pk, "quantity": 1}]}).status_code == 201


@pytest.mark.parametrize(("open_to", "status"), [("none", 401), ("classic", 200), ("all", 200)])
def test_is_open_only_where_the_setting_says_so(api, settings, open_to, status):
    settings.API_OPEN = open_to

    assert api.get(PRODUCTS).status_code == status


def test_a_closed_api_says_how_to_be_known_and_changes_nothing(api, settings):
    settings.API_OPEN = "none"
    lamp = ProductFactory()

    answers = [order(api, (lamp, 1)), post(api, NEW_PRODUCT, LAMP)]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert (answers[0].json()["code"], answers[0]["WWW-Authenticate"]) == ("not_authenticated", 'Bearer realm="api"')
    assert (StockMovement.objects.count(), OrderEvent.objects.count()) == (1, 0)
