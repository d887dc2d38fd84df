"""A query parameter is read or refused, by every call of API v1: one that is ignored makes a dry run the real thing."""

import re
from types import SimpleNamespace

import pytest

from catalog.models import Product
from catalog.serializers import ClassicPageSerializer
from ecommerce.api.parameters import read_parameters
from orders.models import Order
from tests.factories import ProductFactory, available, placed
from tests.test_access import CALLS
from tests.v1 import ORDERS, STOCK, order_url, patch, product_url, send, with_key

V1 = [call for call in CALLS if call[1].startswith("api/v1/")]


@pytest.mark.parametrize(("method", "route"), V1, ids=map(str, V1))
@pytest.mark.parametrize("query", ["dryrun=true", "validate_only", "%00=1"])
def test_an_unknown_one_is_refused_everywhere(api, method, route, query):
    lamp = ProductFactory()
    known = placed({lamp: 1}) if "orders" in route else lamp
    path = re.sub("<.*?:key>", "k-1", re.sub("<.*?:uuid>", str(known.uuid), route))

    answer = with_key(api, f"/{path}/?{query}", {}) if method == "POST" else send(api, method, f"/{path}/?{query}", {})

    name = query.partition("=")[0].replace("%00", "?")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"] == [{"parameter": name, "code": "unknown", "message": "There is no such parameter."}]


def test_a_dry_run_of_what_has_none_changes_nothing(api):
    lamp = ProductFactory(stock=5, name="Lamp")
    order = placed({lamp: 1}, hold=None)
    receives = {"lines": [{"product": lamp.sku, "kind": "received", "quantity": 1}]}

    answers = [
        with_key(api, f"{STOCK}?dry_run=true", receives),
        patch(api, f"{product_url(lamp)}?dry_run=true", {"name": "Torch"}),
        api.delete(f"{product_url(lamp)}?dry_run=true"),
        send(api, "POST", f"{order_url(order, 'cancel')}?dry_run=true", {}),
        with_key(api, f"{ORDERS}?dry_run=True", {"items": [{"product": lamp.sku, "quantity": 1}]}),
    ]

    assert [answer.status_code for answer in answers] == [422] * 5
    assert (available(lamp), Order.objects.get().version) == (4, 1)
    assert Product.objects.values_list("name", "version", "is_active").get() == ("Lamp", 1, True)


def test_what_is_remembered_of_a_query_string_is_nobody_s_to_change():
    asked = SimpleNamespace(META={"QUERY_STRING": "skip=3&limit=7"})

    first = read_parameters(ClassicPageSerializer, asked)
    first["skip"] = 99

    assert read_parameters(ClassicPageSerializer, asked) == {"skip": 3, "limit": 7}


def test_the_same_query_string_means_to_each_call_what_that_one_knows(api):
    lamp = ProductFactory()
    order = {"items": [{"product": lamp.sku, "quantity": 1}]}

    listed = [api.get("/product/all_products?dry_run=true&limit=1").json() for _ in range(2)]
    tried = [with_key(api, f"{ORDERS}?dry_run=true", order).json() for _ in range(2)]

    assert [len(page) for page in listed] == [1, 1]
    assert [answer["dry_run"] for answer in tried] == [True, True]
    assert not Order.objects.exists()
