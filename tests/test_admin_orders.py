"""Staff and orders: what they find, read and print. What they move is in test_admin_moves.py."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Order
from orders.services import add_note, cancel_order, ship_order
from tests.factories import ADDRESS, ProductFactory, placed

ORDERS, HOLDS = reverse("admin:orders_order_changelist"), reverse("admin:orders_order_holds")
HOUR = timedelta(hours=1)


def page_of(order, page="change") -> str:
    return reverse(f"admin:orders_order_{page}", args=[order.pk])


def shown(page) -> list[int]:
    return [order.pk for order in page.context["cl"].result_list]


@pytest.fixture
def orders() -> dict[str, Order]:
    """One of each kind."""
    lamp = ProductFactory(name="Lamp", sku="LAMP", stock=100)
    ada = {"email": "ada@example.com", "name": "Ada Lovelace"}
    made = {
        "to ship": placed({lamp: 2}, ship_to=ADDRESS, customer=ada, reference="R-1"),
        "second to ship": placed({lamp: 1}, ship_to=ADDRESS, placed_by="app:web"),
        "held": placed({lamp: 3}, hold=HOUR),
        "handed over": placed({ProductFactory(sku="INK"): 1}),
        "shipped": placed({lamp: 1}, ship_to=ADDRESS),
        "cancelled": placed({lamp: 1}, ship_to=ADDRESS),
    }
    ship_order(made["shipped"].pk, done_by="open")
    cancel_order(made["cancelled"].pk, done_by="open", reason="torn")
    return made


@pytest.mark.parametrize(
    ("tab", "names"),
    [
        ({}, ["to ship", "second to ship"]),
        ({"show": "to_ship"}, ["to ship", "second to ship"]),
        ({"show": "nonsense"}, ["to ship", "second to ship"]),
        ({"show": "held"}, ["held"]),
        ({"show": "done"}, ["shipped", "handed over"]),
        ({"show": "cancelled"}, ["cancelled"]),
        ({"show": "all"}, ["cancelled", "shipped", "handed over", "held", "second to ship", "to ship"]),
    ],
)
def test_the_list_opens_on_what_is_to_ship_and_has_a_tab_for_each_state(staff, orders, tab, names):
    assert shown(staff.get(ORDERS, tab)) == [orders[name].pk for name in names]


def test_a_partly_cancelled_order_is_still_to_ship(staff, orders):
    lamp = orders["to ship"].items.get().product
    cancel_order(orders["to ship"].pk, done_by="open", quantities={lamp.pk: 1})

    assert orders["to ship"].pk in shown(staff.get(ORDERS))

    cancel_order(orders["to ship"].pk, done_by="open", quantities={lamp.pk: 1})

    assert orders["to ship"].pk not in shown(staff.get(ORDERS))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "ada@example.com"}, ["to ship"]),
        ({"q": "lovelace"}, ["to ship"]),
        ({"q": "R-1"}, ["to ship"]),
        ({"q": "R-1", "show": "held"}, []),
        ({"show": "all", "product": "ink"}, ["handed over"]),
        ({"show": "all", "product": "NONE"}, []),
        ({"show": "all", "customer": "ADA@example.com"}, ["to ship"]),
        ({"show": "all", "by": "app:web"}, ["second to ship"]),
        ({"show": "all", "total_price_from": "50"}, ["held"]),
        ({"show": "to_ship", "total_price_to": "20.00"}, ["second to ship"]),
        ({"show": "held", "created_at_from": "2020-01-01", "created_at_to": "2020-01-02"}, []),
        ({"show": "held", "created_at_from": "2020-01-01"}, ["held"]),
    ],
)
def test_the_list_is_searched_and_filtered(staff, orders, query, names):
    assert shown(staff.get(ORDERS, query)) == [orders[name].pk for name in names]


def test_an_order_is_found_by_its_number_and_its_uuid(staff, orders):
    order = orders["cancelled"]

    for name in (str(order.pk), f"#{order.pk}", str(order.uuid)):
        assert shown(staff.get(ORDERS, {"q": name})) == [order.pk]


def test_the_days_of_the_filter_are_days_of_the_shop(staff, orders, settings):
    settings.SHOP_TIME_ZONE = "Asia/Tokyo"
    Order.objects.filter(pk=orders["held"].pk).update(created_at="2026-01-01T20:00:00Z")

    for first, last, found in (("2026-01-02", "2026-01-02", 1), ("2026-01-01", "2026-01-01", 0)):
        days = {"show": "held", "created_at_from": first, "created_at_to": last}
        assert len(shown(staff.get(ORDERS, days))) == found


BAD = [
    "created_at_from=x",
    "created_at_to=9999-12-31",
    "created_at_from=0001-01-01",
    "total_price_from=x",
    "total_price_to=NaN",
    "total_price_from=1e9",
    "product=%00",
    "customer=%00",
    "by=%00",
    "show=%00",
    "o=3",
]


@pytest.mark.parametrize("query", BAD)
def test_a_strange_filter_shows_a_list_and_is_no_fault_of_ours(staff, orders, query):
    assert staff.get(f"{ORDERS}?{query}", follow=True).status_code == 200


def test_a_page_of_the_list_costs_the_same_for_one_order_and_for_many(staff, orders):
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert staff.get(ORDERS, {"show": "all"}).status_code == 200
        assert not [query for query in queries if "COUNT(" in query["sql"] and "LIMIT" not in query["sql"]]
        return len(queries)

    few = cost()
    lamp = orders["to ship"].items.get().product
    for _ in range(20):
        placed({lamp: 1}, ship_to=ADDRESS)

    assert few == cost() == 10


def test_an_order_shows_its_items_and_its_timeline(staff, orders):
    order = orders["to ship"]
    lamp = order.items.get().product
    cancel_order(order.pk, done_by="command:test", quantities={lamp.pk: 1}, reason="changed her mind", restock=False)
    add_note(order.pk, "Call <her> first", done_by="open")

    page = staff.get(page_of(order)).content.decode()

    for text in (
        "Lamp",
        "1 of 2 cancelled",
        "19.99 USD</p>",
        "39.98 USD as placed",
        "ada@example.com",
        "Ada",
        "N1 London",
        "R-1",
        "placed the order",
        "command test",
        "cancelled 1 x Lamp; written off",
        "changed her mind",
        "Call &lt;her&gt; first",
    ):
        assert text in page
    assert 'name="_save"' not in page


def test_an_order_page_costs_the_same_however_much_happened(staff, orders):
    order = orders["to ship"]
    for _ in range(10):
        add_note(order.pk, "Called", done_by="app:web")

    with CaptureQueriesContext(connection) as queries:
        staff.get(page_of(order))

    assert len(queries) == 6


@pytest.mark.parametrize("number", ["0", "99999999999999999999", "x", "-1", "%00"])
def test_an_order_that_is_none_is_not_found(staff, orders, number):
    assert staff.get(f"{ORDERS}{number}/change/").status_code == 404


@pytest.mark.parametrize(
    ("name", "buttons"),
    [
        ("to ship", ["ship", "cancel"]),
        ("held", ["complete", "extend", "cancel"]),
        ("handed over", ["cancel"]),
        ("shipped", ["cancel"]),
        ("cancelled", []),
    ],
)
def test_the_buttons_of_an_order_are_its_legal_moves(staff, orders, name, buttons):
    page = staff.get(page_of(orders[name])).content.decode()

    assert [move for move in ("ship", "complete", "extend", "cancel") if page_of(orders[name], move) in page] == buttons


def test_holds_tell_who_holds_what_until_when(staff, orders):
    lamp = orders["held"].items.get().product

    page = staff.get(HOLDS).content.decode()
    assert page_of(orders["held"]) in page
    assert "3 units: 3 x Lamp" in page
    assert page_of(orders["to ship"]) not in page
    assert page_of(orders["held"]) in staff.get(HOLDS, {"product": lamp.pk}).content.decode()
    ink = orders["handed over"].items.get().product
    assert "No order holds this product now." in staff.get(HOLDS, {"product": ink.pk}).content.decode()


@pytest.mark.parametrize("query", [{"product": "x"}, {"product": "99999999999999999999"}, {"product": "0"}])
def test_holds_of_what_is_no_product_are_not_found(staff, orders, query):
    assert staff.get(HOLDS, query).status_code == 404


def test_holds_cost_the_same_for_one_and_for_many(staff, orders):
    lamp = orders["held"].items.get().product
    for _ in range(5):
        placed({lamp: 1}, hold=HOUR)

    with CaptureQueriesContext(connection) as queries:
        staff.get(HOLDS, {"product": lamp.pk})

    assert len(queries) == 6


def test_a_packing_slip_has_what_is_left_to_pack_and_no_prices(staff, orders):
    order = orders["to ship"]
    lamp = order.items.get().product
    cancel_order(order.pk, done_by="open", quantities={lamp.pk: 1})

    page = staff.get(page_of(order, "slip")).content.decode()

    assert "1 Main St" in page
    assert '<td class="number">1</td><td>LAMP</td><td>Lamp</td>' in page
    assert "19.99" not in page


def test_slips_are_printed_for_all_that_are_marked_and_wait(staff, orders):
    marked = {"action": "print_slips", "_selected_action": [order.pk for order in orders.values()]}

    page = staff.post(ORDERS, marked).content.decode()

    assert page.count("<article>") == 2
    assert [f"Order {orders[name].pk}<" in page for name in ("to ship", "second to ship", "shipped")] == [
        True,
        True,
        False,
    ]


def test_where_nothing_waits_there_is_no_slip(staff, orders):
    answer = staff.get(page_of(orders["shipped"], "slip"), follow=True)

    assert "nothing to pack" in str(*answer.context["messages"])


def test_who_manages_the_catalogue_sees_no_order(api, orders, django_user_model):
    tom = django_user_model.objects.create_user("tom", password="a long password", is_staff=True)
    tom.user_permissions.set(Permission.objects.filter(content_type__app_label="catalog"))
    api.force_login(tom)

    pages = [
        ORDERS,
        HOLDS,
        *(page_of(orders["to ship"], page) for page in ("change", "slip", "ship", "cancel", "note")),
    ]

    assert {api.get(page).status_code for page in pages} == {403}
