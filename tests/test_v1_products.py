"""API v1: products, and the ledger of each."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from catalog.models import Product
from catalog.services import adjust_stock, update_product
from orders.services import ship_order
from tests.factories import ADDRESS, TEST, ProductFactory, ledger, place, placed
from tests.test_classic_api import post
from tests.v1 import PRODUCTS, order_url, patch, product_url

LAMP = {"sku": "LAMP-1", "name": "Lamp", "description": "Warm\nlight", "price": "19.99", "stock": 10}


def test_creates_a_product_with_its_opening_stock(api):
    answer = post(api, PRODUCTS, LAMP | {"image_url": "https://example.com/lamp.png"})

    product = Product.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(product.uuid),
        "number": product.pk,
        "sku": "LAMP-1",
        "name": "Lamp",
        "description": "Warm\nlight",
        "price": "19.99",
        "currency": "USD",
        "stock": 10,
        "committed": 0,
        "image_url": "https://example.com/lamp.png",
        "is_active": True,
        "created_at": answer.json()["created_at"],
        "updated_at": answer.json()["created_at"],
    }
    assert answer["ETag"] == '"1-10-0"'
    assert answer["Location"] == f"http://testserver{product_url(product)}"
    assert ledger(product) == [("opening", 10, 0, 10)]


@pytest.mark.parametrize("price", ["19.99", 19.99, 20, "20", "20.5", 2e1])
def test_takes_a_price_as_a_string_or_a_number(api, price):
    answer = post(api, PRODUCTS, {"name": "Lamp", "price": price})

    assert answer.status_code == 201
    assert answer.json()["price"] == f"{float(price):.2f}"
    assert answer.json()["sku"].startswith("P")


def test_a_sku_is_taken_once(api):
    post(api, PRODUCTS, LAMP)

    again = post(api, PRODUCTS, LAMP)

    assert (again.status_code, again.json()["code"]) == (409, "sku_taken")
    assert Product.objects.count() == 1


def test_reads_a_product_unless_it_is_known(api):
    lamp = ProductFactory(stock=10)

    first = api.get(product_url(lamp))
    known = api.get(product_url(lamp), headers={"If-None-Match": f'"x", W/{first["ETag"]}'})
    place({lamp: 1})
    sold = api.get(product_url(lamp), headers={"If-None-Match": first["ETag"]})

    assert (known.status_code, known.content, known["ETag"]) == (304, b"", '"1-10-0"')
    assert (sold.status_code, sold.json()["stock"], sold["ETag"]) == (200, 9, '"1-9-0"')


def test_a_shipment_is_news_too_and_no_reason_to_refuse_a_change(api):
    lamp = ProductFactory(stock=10)
    order = placed({lamp: 2}, ship_to=ADDRESS)
    seen = api.get(product_url(lamp))["ETag"]
    ship_order(order.pk, done_by="command:test")

    shipped = api.get(product_url(lamp), headers={"If-None-Match": seen})

    assert (seen, shipped["ETag"]) == ('"1-8-2"', '"1-8-0"')
    assert (shipped.status_code, shipped.json()["committed"]) == (200, 0)
    assert patch(api, product_url(lamp), {"name": "Torch"}, **{"If-Match": seen}).status_code == 200


@pytest.mark.parametrize("name", [uuid4(), "nope", 1, "%00"])
def test_what_does_not_exist_is_not_found(api, name):
    assert api.get(f"{PRODUCTS}{name}/").json()["code"] == "not_found"


def test_an_id_in_capitals_is_the_same(api):
    lamp = ProductFactory(stock=3)
    order = placed({lamp: 1})
    shout = lambda path, id: api.get(path.replace(str(id), str(id).upper()))  # noqa: E731

    for path in (product_url(lamp), f"{product_url(lamp)}movements/"):
        assert shout(path, lamp.uuid).content == api.get(path).content
    assert shout(order_url(order), order.uuid).json()["id"] == str(order.uuid)


def test_changes_the_fields_that_are_sent_and_no_others(api):
    lamp = ProductFactory(name="Lamp", description="Warm", stock=3)

    answer = patch(api, product_url(lamp), {"price": "24.50", "is_active": False})

    lamp.refresh_from_db()
    assert (answer.status_code, answer["ETag"]) == (200, '"2-3-0"')
    assert (str(lamp.price), lamp.is_active, lamp.name, lamp.description) == ("24.50", False, "Lamp", "Warm")


def test_a_change_of_nothing_changes_nothing(api):
    lamp = ProductFactory()
    before = api.get(product_url(lamp))

    answer = patch(api, product_url(lamp), {})

    assert (answer.status_code, answer["ETag"], answer.json()) == (200, before["ETag"], before.json())


def test_a_change_of_what_has_changed_is_refused_and_shown(api):
    lamp = ProductFactory(name="Lamp", stock=3)
    seen = api.get(product_url(lamp))["ETag"]
    update_product(lamp.pk, {"name": "Lantern"}, cause=TEST)

    answer = patch(api, product_url(lamp), {"name": "Torch"}, **{"If-Match": seen})

    assert (answer.status_code, answer.json()["code"]) == (412, "product_changed")
    assert answer.json()["current"]["name"] == "Lantern"
    assert Product.objects.get().name == "Lantern"


def test_a_sale_is_no_reason_to_refuse_a_change(api):
    lamp = ProductFactory(stock=3)
    seen = api.get(product_url(lamp))["ETag"]
    place({lamp: 1})

    assert patch(api, product_url(lamp), {"name": "Torch"}, **{"If-Match": seen}).status_code == 200
    assert patch(api, product_url(lamp), {"name": "Light"}, **{"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("tag", ["1", '"x"', '"1-2-3-4"', '"1-"', '"1", "2"', '"-1"', '"99999999999999999999"', ""])
def test_an_odd_precondition_is_refused(api, tag):
    lamp = ProductFactory()

    answer = patch(api, product_url(lamp), {"name": "Torch"}, **{"If-Match": tag})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_if_match")
    assert Product.objects.get().version == 1


@pytest.mark.parametrize("field", ["stock", "committed", "id", "number", "currency", "version", "created_at"])
def test_what_is_not_a_clients_to_write_is_refused(api, field):
    lamp = ProductFactory()

    answer = patch(api, product_url(lamp), {field: 1})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{field}")
    assert Product.objects.get().version == 1


def test_deletes_what_has_no_history_and_archives_the_rest(api):
    stocked, untouched = ProductFactory(stock=1), ProductFactory(stock=0)

    archived, deleted = api.delete(product_url(stocked)), api.delete(product_url(untouched))
    again = api.delete(product_url(stocked))

    assert (archived.status_code, archived.json()["is_active"]) == (200, False)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (again.status_code, again["ETag"]) == (200, archived["ETag"])
    assert list(Product.objects.all()) == [stocked]
    assert api.get(PRODUCTS).json()["results"] == []
    assert api.get(f"{PRODUCTS}?is_active=false").json()["count"] == 1


def test_a_delete_of_what_has_changed_is_refused(api):
    lamp = ProductFactory(stock=0)
    update_product(lamp.pk, {"name": "Lantern"}, cause=TEST)

    answer = api.delete(product_url(lamp), headers={"If-Match": '"1-0-0"'})

    assert (answer.status_code, Product.objects.count()) == (412, 1)


def test_lists_products_and_finds_one(api):
    lamp, ink = ProductFactory(sku="LAMP", name="Brass lamp"), ProductFactory(sku="INK", name="Blue ink")

    assert [row["sku"] for row in api.get(PRODUCTS).json()["results"]] == ["LAMP", "INK"]
    assert [row["number"] for row in api.get(f"{PRODUCTS}?sku=INK").json()["results"]] == [ink.pk]
    assert [row["sku"] for row in api.get(f"{PRODUCTS}?number={lamp.pk}").json()["results"]] == ["LAMP"]
    assert [row["sku"] for row in api.get(f"{PRODUCTS}?search=bra").json()["results"]] == ["LAMP"]
    assert [row["sku"] for row in api.get(f"{PRODUCTS}?ordering=name").json()["results"]] == ["INK", "LAMP"]


def test_a_list_takes_few_statements(api, django_assert_num_queries):
    for _ in range(5):
        ProductFactory()

    with django_assert_num_queries(1):
        api.get(PRODUCTS)
    for page, statements in (1, 2), (2, 3):
        with django_assert_num_queries(statements):
            assert len(api.get(PRODUCTS, {"page": page, "page_size": 2}).json()["results"]) == 2


def test_the_ledger_of_a_product_says_what_it_was_then(api):
    lamp = ProductFactory(stock=10)
    before = timezone.now()
    adjust_stock(lamp.pk, -3, cause=TEST)

    now = api.get(f"{product_url(lamp)}movements/").json()
    then = api.get(f"{product_url(lamp)}movements/", {"as_of": before.isoformat()}).json()
    earlier = api.get(f"{product_url(lamp)}movements/", {"as_of": (before - timedelta(days=1)).isoformat()}).json()

    assert [(row["kind"], row["quantity"], row["balance_after"]) for row in now["results"]] == [
        ("adjusted", -3, 7),
        ("opening", 10, 10),
    ]
    assert (now["stock"], then["stock"], earlier["stock"]) == (7, 10, 0)
    assert ([row["kind"] for row in then["results"]], earlier["results"]) == (["opening"], [])


def test_a_sku_in_the_form_of_a_uuid_is_refused(api):
    answer = post(api, PRODUCTS, LAMP | {"sku": str(uuid4())})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/sku")
