"""API v1: orders are placed once, read by their owner, and moved."""

import json
from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote
from uuid import uuid4

import pytest

from catalog.services import update_product
from orders.models import Order
from orders.services import expire_holds
from tests.factories import ADDRESS, TEST, ProductFactory, available, committed, placed
from tests.races import race
from tests.test_clients import bearer
from tests.test_holds import let_time_pass
from tests.v1 import ORDERS, order_url, send, with_key

CUSTOMER = {"email": "ada@example.com", "name": "Ada"}


def line(product, quantity):
    return {"product": product.sku, "quantity": quantity}


def order(api, *lines, key=None, headers=None, **more):
    return with_key(api, ORDERS, {"items": [line(*entry) for entry in lines], **more}, key=key, **(headers or {}))


def test_places_an_order(api):
    lamp, ink = ProductFactory(sku="LAMP", name="Lamp", price="19.99"), ProductFactory(sku="INK", price="4.50")
    items = [
        {"product": "LAMP", "quantity": 1},
        {"product": str(ink.uuid).upper(), "quantity": 1},
        {"product": str(lamp.uuid), "quantity": 1},
    ]
    more = {"customer": CUSTOMER, "ship_to": ADDRESS, "reference": "web-77", "metadata": {"channel": "web"}}

    answer = with_key(api, ORDERS, {"items": items, **more, "expected_total": "44.48"})

    row = Order.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(row.uuid),
        "number": row.pk,
        "status": "completed",
        "currency": "USD",
        "items": [
            {
                "product": str(lamp.uuid),
                "sku": "LAMP",
                "product_name": "Lamp",
                "quantity": 2,
                "cancelled_quantity": 0,
                "price_at_time": "19.99",
                "subtotal": "39.98",
            },
            {
                "product": str(ink.uuid),
                "sku": "INK",
                "product_name": ink.name,
                "quantity": 1,
                "cancelled_quantity": 0,
                "price_at_time": "4.50",
                "subtotal": "4.50",
            },
        ],
        "total_price": "44.48",
        "current_total": "44.48",
        "customer": CUSTOMER,
        "ship_to": ADDRESS,
        "shipped_at": None,
        "tracking": None,
        "reference": "web-77",
        "metadata": {"channel": "web"},
        "hold_expires_at": None,
        "created_at": answer.json()["created_at"],
        "completed_at": answer.json()["completed_at"],
        "cancelled_at": None,
        "cancel_reason": "",
        "updated_at": answer.json()["created_at"],
    }
    assert answer["ETag"] == '"1"'
    assert answer["Location"] == f"http://testserver{order_url(row)}"
    assert (available(lamp), committed(lamp), available(ink)) == (8, 2, 9)
    assert api.get(order_url(row)).json() == answer.json()


def test_a_retry_is_told_what_became_of_the_first_try(api):
    lamp = ProductFactory(stock=1)

    first = order(api, (lamp, 1), key="k-1")
    again = order(api, (lamp, 1), key="k-1")
    asked = api.get("/api/v1/requests/k-1/")

    assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (201, 200, "true")
    assert "Idempotent-Replayed" not in first
    assert again.json() == first.json() == asked.json()
    assert available(lamp) == 0


def test_another_body_under_the_same_key_is_refused(api):
    lamp = ProductFactory()
    order(api, (lamp, 1), key="k-1")

    answer = order(api, (lamp, 2), key="k-1")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert available(lamp) == 9


@pytest.mark.parametrize("key", ["k", "a/b", "a/", "%2F?#&+", "~" * 255, "!"])
def test_whatever_a_key_is_made_of_its_request_is_found(api, key):
    placed_order = order(api, (ProductFactory(), 1), key=key)

    for path in (f"/api/v1/requests/{quote(key, safe='')}", f"/api/v1/requests/{quote(key, safe='')}/"):
        if path.endswith("%2F"):  # without a final slash, that of the key is taken for it
            continue
        assert api.get(path).json()["id"] == placed_order.json()["id"]


def test_a_key_that_nothing_is_recorded_under_says_to_retry_with_it(api):
    answer = api.get("/api/v1/requests/never/")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_recorded")
    assert api.get("/api/v1/requests/a%20b/").json()["code"] == "invalid_idempotency_key"


@pytest.mark.parametrize(
    ("key", "code"),
    [(None, "missing_idempotency_key"), *((odd, "invalid_idempotency_key") for odd in ("", "a b", "x" * 256, "ü"))],
)
def test_the_key_is_required_and_well_formed(api, key, code):
    lamp = ProductFactory()
    headers = {} if key is None else {"Idempotency-Key": key}

    answer = send(api, "POST", ORDERS, {"items": [line(lamp, 1)]}, **headers)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Order.objects.exists()


def test_every_short_line_is_told_and_the_corrected_body_passes(api):
    lamp, ink, pen = ProductFactory(stock=2, price="10"), ProductFactory(stock=5, price="1"), ProductFactory(stock=0)
    lines = [(lamp, 2), (ink, 1), (lamp, 3), (pen, 1)]
    total = str(5 * 10 + 1 + Decimal("19.99"))

    short = order(api, *lines, reference="web-1", expected_total=total)
    problem = short.json()

    assert (short.status_code, problem["code"]) == (409, "insufficient_stock")
    assert problem["shortages"] == [
        {
            "pointer": "/items/0",
            "product": str(lamp.uuid),
            "number": lamp.pk,
            "sku": lamp.sku,
            "wanted": 5,
            "available": 2,
        },
        {
            "pointer": "/items/3",
            "product": str(pen.uuid),
            "number": pen.pk,
            "sku": pen.sku,
            "wanted": 1,
            "available": 0,
        },
    ]
    assert problem["corrected"] == {
        "items": [line(lamp, 2), line(ink, 1)],
        "reference": "web-1",
        "expected_total": "21.00",
    }
    assert not Order.objects.exists()
    assert with_key(api, ORDERS, problem["corrected"]).status_code == 201
    assert (available(lamp), available(ink)) == (0, 4)


def test_where_nothing_is_left_there_is_no_corrected_body(api):
    assert order(api, (ProductFactory(stock=0), 1)).json()["corrected"] is None


def test_other_prices_than_expected_are_told(api):
    lamp = ProductFactory(sku="LAMP", price="10")
    update_product(lamp.pk, {"price": "12.50"}, cause=TEST)

    answer = order(api, (lamp, 2), expected_total="20.00")

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["total_price"]) == (409, "price_changed", "25.00")
    assert problem["items"] == [
        {"product": str(lamp.uuid), "sku": "LAMP", "quantity": 2, "price": "12.50", "subtotal": "25.00"}
    ]
    assert (available(lamp), Order.objects.count()) == (10, 0)
    assert order(api, (lamp, 2), expected_total=25).status_code == 201


def test_every_unknown_product_is_pointed_at(api):
    lamp, gone = ProductFactory(), ProductFactory()
    update_product(gone.pk, {"is_active": False}, cause=TEST)
    names = ["nope", lamp.sku, str(uuid4()), gone.sku, str(lamp.pk)]

    answer = with_key(api, ORDERS, {"items": [{"product": name, "quantity": 1} for name in names]})

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_product")
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/items/{n}/product" for n in (0, 2, 3, 4)]
    assert "nope" not in answer.content.decode()


def test_a_dry_run_says_the_same_and_writes_nothing(api, django_assert_num_queries):
    lamp = ProductFactory(stock=3, price="10", sku="LAMP")

    with django_assert_num_queries(1):
        answer = send(api, "POST", f"{ORDERS}?dry_run=true", {"items": [line(lamp, 3)]})
    short = send(api, "POST", f"{ORDERS}?dry_run=true", {"items": [line(lamp, 4)]})

    quote = answer.json()
    assert (answer.status_code, quote["dry_run"], quote["total_price"]) == (200, True, "30.00")
    assert [(item["sku"], item["subtotal"]) for item in quote["items"]] == [("LAMP", "30.00")]
    assert (short.status_code, short.json()["corrected"]) == (409, {"items": [line(lamp, 3)]})
    assert (available(lamp), Order.objects.count()) == (3, 0)


def test_a_dry_run_counts_the_units_that_an_order_would_free(api):
    lamp = ProductFactory(stock=3)
    let_time_pass(placed({lamp: 3}, hold=timedelta(hours=1)))

    assert (
        send(api, "POST", f"{ORDERS}?dry_run=true", {"items": [line(lamp, 4)]}).json()["shortages"][0]["available"] == 3
    )
    assert send(api, "POST", f"{ORDERS}?dry_run=true", {"items": [line(lamp, 3)]}).status_code == 200
    assert available(lamp) == 0
    assert order(api, (lamp, 3)).status_code == 201


def test_a_dry_run_needs_no_key_and_refuses_a_malformed_one(api):
    lamp = ProductFactory(stock=3)

    answer = send(api, "POST", f"{ORDERS}?dry_run=true", {"items": [line(lamp, 3)]}, **{"Idempotency-Key": "a b"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")


@pytest.mark.parametrize("query", ["dry_run=yes", "dry_run=", "dry_run=true&dry_run=false", "dryrun=true"])
def test_an_odd_parameter_places_nothing(api, query):
    answer = with_key(api, f"{ORDERS}?{query}", {"items": [line(ProductFactory(), 1)]})

    assert (answer.status_code, answer.json()["code"], Order.objects.count()) == (422, "invalid", 0)


def test_a_held_order_is_extended_and_completed(api):
    lamp = ProductFactory(stock=3)
    held = order(api, (lamp, 2), hold=60)
    first = held.json()["hold_expires_at"]

    extended = send(api, "POST", order_url(held, "extend"), {"hold": 7 * 24 * 3600})
    done = send(api, "POST", order_url(held, "complete"), {})
    again = send(api, "POST", order_url(held, "complete"), {})

    assert (held.status_code, held.json()["status"], held.json()["completed_at"]) == (201, "pending", None)
    assert (extended.status_code, extended.json()["hold_expires_at"] > first) == (200, True)
    assert (done.status_code, done.json()["status"], done.json()["hold_expires_at"]) == (200, "completed", None)
    assert (again.status_code, again.json()["code"], again.json()["legal_moves"]) == (409, "illegal_move", ["cancel"])
    assert (available(lamp), committed(lamp)) == (1, 0)


@pytest.mark.parametrize("hold", [0, -1, 604801, "60", 60.0, True, None, 10**30])
def test_a_hold_is_whole_seconds_up_to_seven_days(api, hold):
    assert order(api, (ProductFactory(), 1), hold=hold).status_code == 422
    assert not Order.objects.exists()


def test_a_swept_order_takes_its_stock_again_or_says_what_is_short(api):
    lamp = ProductFactory(stock=3)
    swept, late = (placed({lamp: n}, hold=timedelta(hours=1)) for n in (2, 1))
    for one in (swept, late):
        let_time_pass(one)
    expire_holds(done_by="command:test")

    done = send(api, "POST", order_url(swept, "complete"), {})
    order(api, (lamp, 1))
    short = send(api, "POST", order_url(late, "complete"), {})

    assert (done.status_code, done.json()["status"], available(lamp)) == (200, "completed", 0)
    assert (short.status_code, short.json()["code"]) == (409, "hold_expired")
    assert [(row["wanted"], row["available"]) for row in short.json()["shortages"]] == [(1, 0)]
    assert api.get(order_url(late)).json()["status"] == "cancelled"


def test_an_order_is_shipped(api):
    lamp = ProductFactory(stock=3)
    sold = order(api, (lamp, 2), ship_to=ADDRESS)
    tracking = {"carrier": "DHL", "number": "0034", "url": "https://example.com/0034"}

    answer = send(api, "POST", order_url(sold, "ship"), tracking)

    assert (answer.status_code, answer.json()["tracking"], answer["ETag"]) == (200, tracking, '"2"')
    assert answer.json()["shipped_at"] is not None
    assert (available(lamp), committed(lamp)) == (1, 0)


def test_some_units_are_cancelled_and_then_the_rest(api):
    lamp, ink = ProductFactory(stock=5, price="10"), ProductFactory(stock=5, price="1")
    sold = order(api, (lamp, 3), (ink, 1), ship_to=ADDRESS)

    part = send(api, "POST", order_url(sold, "cancel"), {"items": [line(lamp, 1), line(lamp, 1)], "restock": False})
    rest = send(api, "POST", order_url(sold, "cancel"), {"reason": "changed their mind"})

    assert (part.json()["status"], part.json()["current_total"]) == ("completed", "11.00")
    assert [item["cancelled_quantity"] for item in part.json()["items"]] == [2, 0]
    assert (rest.json()["status"], rest.json()["cancel_reason"]) == ("cancelled", "changed their mind")
    assert (rest.json()["total_price"], rest.json()["current_total"]) == ("31.00", "0.00")
    assert (available(lamp), committed(lamp), available(ink)) == (3, 0, 5)


def test_more_than_there_is_cannot_be_cancelled(api):
    lamp, ink = ProductFactory(), ProductFactory()
    sold = order(api, (lamp, 3))

    more = send(api, "POST", order_url(sold, "cancel"), {"items": [line(lamp, 4)]})
    other = send(api, "POST", order_url(sold, "cancel"), {"items": [line(lamp, 1), line(ink, 1)]})

    assert (more.status_code, more.json()["code"]) == (409, "quantity_not_cancellable")
    assert more.json()["lines"] == [{"pointer": "/items/0", "wanted": 4, "remaining": 3}]
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/items/1/product")
    assert available(lamp) == 7


def test_a_retry_of_a_cancellation_that_names_what_it_saw_cancels_once(api):
    lamp = ProductFactory(stock=5)
    sold = order(api, (lamp, 3), ship_to=ADDRESS)
    body, seen = {"items": [line(lamp, 1)]}, {"If-Match": sold["ETag"]}

    first = send(api, "POST", order_url(sold, "cancel"), body, **seen)
    again = send(api, "POST", order_url(sold, "cancel"), body, **seen)

    assert (first.status_code, again.status_code, again.json()["code"]) == (200, 412, "order_changed")
    assert again.json()["current"] == first.json()
    assert available(lamp) == 3


def test_the_timeline_tells_every_move_and_note(api):
    sold = order(api, (ProductFactory(), 1), ship_to=ADDRESS, headers={"X-Request-ID": "mine-1"})
    noted = send(api, "POST", order_url(sold, "notes"), {"note": "Call first.\nTwice."})
    send(api, "POST", order_url(sold, "ship"), {})

    events = api.get(order_url(sold, "events")).json()

    assert (noted.status_code, noted.json()["data"]) == (201, {"note": "Call first.\nTwice."})
    assert [(event["kind"], event["old_status"], event["new_status"]) for event in events["results"]] == [
        ("placed", "", "completed"),
        ("note_added", "completed", "completed"),
        ("shipped", "completed", "completed"),
    ]
    assert (events["results"][0]["done_by"], events["results"][0]["request_id"]) == ("open", "mine-1")


@pytest.mark.parametrize("move", ["complete", "cancel", "ship", "extend", "notes"])
def test_a_move_refuses_what_it_does_not_know_and_moves_nothing(api, move):
    sold = placed({ProductFactory(): 1}, hold=timedelta(hours=1))

    unknown = send(api, "POST", order_url(sold, move), {"status": "cancelled"})
    listed = send(api, "POST", order_url(sold, move), [])
    strange = send(api, "POST", f"{ORDERS}{uuid4()}/{move}/", {})

    assert (unknown.status_code, listed.status_code, strange.status_code) == (422, 422, 404)
    assert (unknown.json()["errors"][0]["pointer"], unknown.json()["errors"][0]["code"]) == ("/status", "unknown")
    assert Order.objects.get().version == 1


def test_lists_and_filters_orders(api):
    lamp, ink = ProductFactory(price="10"), ProductFactory(price="1")
    first = order(api, (lamp, 1), customer=CUSTOMER, reference="web-1", ship_to=ADDRESS).json()
    second = order(api, (ink, 1), hold=60).json()

    def found(query):
        answer = api.get(f"{ORDERS}?{query}")
        assert answer.status_code == 200, answer.content
        return [row["number"] for row in answer.json()["results"]]

    both = [second["number"], first["number"]]
    assert found("") == both
    assert found("ordering=-updated_at") == both
    for query in (f"product={lamp.sku}", f"product={lamp.uuid}", "customer=ADA@example.com", "reference=web-1"):
        assert found(query) == [first["number"]]
    for query in ("min_total=5", "status=completed", "shipped=false&status=completed", f"number={first['number']}"):
        assert found(query) == [first["number"]]
    for query in ("max_total=5", "status=pending"):
        assert found(query) == [second["number"]]
    assert found("search=ada") == [first["number"]]
    assert found("created_since=2999-01-01T00:00:00Z") == []


def test_a_list_of_orders_takes_few_statements(api, django_assert_num_queries):
    for _ in range(5):
        order(api, (ProductFactory(), 1), (ProductFactory(), 1))

    with django_assert_num_queries(2):
        assert len(api.get(ORDERS).json()["results"]) == 5


def test_an_order_unless_it_is_known(api):
    sold = order(api, (ProductFactory(), 1), ship_to=ADDRESS)

    known = api.get(order_url(sold), headers={"If-None-Match": sold["ETag"]})
    send(api, "POST", order_url(sold, "ship"), {})

    assert (known.status_code, known.content) == (304, b"")
    assert api.get(order_url(sold), headers={"If-None-Match": sold["ETag"]}).status_code == 200


def test_a_client_has_its_own_orders_and_no_others(api, settings):
    settings.API_OPEN = "none"
    lamp = ProductFactory()
    mine = bearer(api, "orders:read", "orders:write", name="mine")
    theirs = bearer(api, "orders:read", "orders:write", name="theirs")
    auditor = bearer(api, "orders:read", "orders:read_all", name="auditor")
    sold = order(api, (lamp, 1), key="k-1", headers=mine, ship_to=ADDRESS)

    paths = [order_url(sold), order_url(sold, "events"), "/api/v1/requests/k-1/"]
    assert [api.get(path, headers=mine).status_code for path in paths] == [200] * 3
    assert [api.get(path, headers=theirs).status_code for path in paths] == [404] * 3
    assert [api.get(path, headers=auditor).status_code for path in paths[:2]] == [200] * 2
    for move in ("complete", "cancel", "ship", "extend", "notes"):
        assert send(api, "POST", order_url(sold, move), {}, **theirs).status_code == 404
        assert send(api, "POST", order_url(sold, move), {}, **auditor).status_code == 403
    assert api.get(ORDERS, headers=theirs).json()["results"] == []
    assert len(api.get(ORDERS, headers=auditor).json()["results"]) == 1
    assert order(api, (lamp, 1), key="k-1", headers=theirs).json()["id"] != sold.json()["id"]


def test_two_moves_at_once_from_one_state_are_one_move(api):
    lamp = ProductFactory(stock=5)
    sold = order(api, (lamp, 3), ship_to=ADDRESS)
    body, seen = {"items": [line(lamp, 1)]}, {"If-Match": sold["ETag"]}

    answers = race([lambda: send(api, "POST", order_url(sold, "cancel"), body, **seen)] * 4)

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert available(lamp) == 3


def test_an_order_placed_by_the_classic_api_is_read_here(api):
    lamp = ProductFactory()
    body = json.dumps({"products": [{"product_id": lamp.pk, "quantity": 1}]})
    classic = api.post("/order/create_order", body, content_type="application/json")

    assert [row["number"] for row in api.get(ORDERS).json()["results"]] == [classic.json()["id"]]
