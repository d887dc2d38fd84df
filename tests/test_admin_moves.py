"""Staff move orders: each move once, at the order as they saw it, and every refusal is a sentence."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from catalog.models import Product
from orders.models import Order
from orders.services import add_note, ship_order
from tests.factories import ADDRESS, ProductFactory, available, committed, placed, timeline
from tests.races import race
from tests.test_admin import messages_of, staff_like

ORDERS = reverse("admin:orders_order_changelist")
HOUR = timedelta(hours=1)


def page_of(order, page) -> str:
    return reverse(f"admin:orders_order_{page}", args=[order.pk])


def move(staff, order, page, *, version=1, **form):
    return staff.post(page_of(order, page), {"version": version, **form}, follow=True)


def mark(staff, action, *orders, **form):
    """Of the second page, when `confirmed`: with the versions that it shows."""
    versions = {f"version_{order.pk}": order.version for order in orders}
    data = {"action": action, "_selected_action": [order.pk for order in orders], **versions, **form}
    return staff.post(ORDERS, data, follow=True)


@pytest.fixture
def sold() -> Order:
    return placed({ProductFactory(name="Lamp"): 2}, ship_to=ADDRESS, customer={"email": "ada@example.com"})


@pytest.fixture
def held() -> Order:
    return placed({ProductFactory(name="Sofa"): 3}, hold=HOUR)


def test_a_held_order_is_completed(staff, held):
    assert messages_of(move(staff, held, "complete")) == ["The order is completed."]
    assert timeline(held)[-1] == ("completed", "pending", "completed")
    assert held.events.last().done_by == f"staff:{User.objects.get().pk}"


def test_an_order_is_shipped_with_its_tracking(staff, sold):
    tracking = {"carrier": "DHL", "number": "123", "url": "https://dhl.example/123"}

    page = move(staff, sold, "ship", **tracking).content.decode()

    sold.refresh_from_db()
    assert (sold.tracking, sold.shipped_at is not None) == (tracking, True)
    assert "shipped the order with DHL as 123" in page
    assert 'href="https://dhl.example/123"' in page


def test_an_order_is_shipped_without_any(staff, sold):
    move(staff, sold, "ship")

    sold.refresh_from_db()
    assert (sold.tracking, sold.shipped_at is not None) == (None, True)


def test_a_hold_is_extended(staff, held):
    move(staff, held, "extend", minutes=600)

    until = held.hold_expires_at
    held.refresh_from_db()
    assert held.hold_expires_at > until + 8 * HOUR
    assert "extended the hold: 600 minutes from then" in staff.get(page_of(held, "change")).content.decode()


def test_a_note_is_added(staff, sold):
    page = move(staff, sold, "note", note="Call her").content.decode()

    assert "Call her" in page
    assert sold.events.last().data == {"note": "Call her"}


@pytest.mark.parametrize(("restock", "left"), [({"restock": "on"}, 10), ({}, 8)])
def test_an_order_is_cancelled_as_a_whole(staff, sold, restock, left):
    lamp = Product.objects.get()

    move(staff, sold, "cancel", reason="torn", **{f"units_{lamp.pk}": 2}, **restock)

    sold.refresh_from_db()
    assert (sold.status, sold.cancel_reason) == ("cancelled", "torn")
    assert (available(lamp), committed(lamp)) == (left, 0)


def test_some_units_of_an_order_are_cancelled(staff, sold):
    lamp = Product.objects.get()

    move(staff, sold, "cancel", reason="torn", restock="on", **{f"units_{lamp.pk}": 1})

    assert timeline(sold)[-1] == ("items_cancelled", "completed", "completed")
    assert (available(lamp), committed(lamp)) == (9, 1)


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("cancel", {"reason": ""}),
        ("cancel", {"reason": "torn", "units": 0}),
        ("cancel", {"reason": "torn", "units": 3}),
        ("cancel", {"reason": "torn", "units": -1}),
        ("cancel", {"reason": "x" * 1001}),
        ("ship", {"url": "javascript:alert(1)"}),
        ("ship", {"carrier": "x" * 101}),
        ("ship", {"number": "\x00"}),
        ("ship", {"version": ""}),
        ("ship", {"version": "x"}),
        ("note", {"note": " "}),
        ("note", {"note": "x" * 2001}),
    ],
)
def test_a_bad_form_is_shown_again_and_changes_nothing(staff, sold, page, form):
    units = {f"units_{Product.objects.get().pk}": form.get("units", 2)}

    answer = staff.post(page_of(sold, page), {"version": 1} | units | form)

    assert (answer.status_code, bool(answer.context["form"].errors)) == (200, True)
    assert "errorlist" in answer.content.decode() or "text-red" in answer.content.decode()
    assert timeline(sold) == [("placed", "", "completed")]


@pytest.mark.parametrize("minutes", ["0", "-1", "10081", "x", ""])
def test_a_hold_lasts_a_minute_to_a_week(staff, held, minutes):
    assert staff.post(page_of(held, "extend"), {"version": 1, "minutes": minutes}).context["form"].errors
    assert timeline(held) == [("placed", "", "pending")]


def test_a_double_click_ships_once_and_is_told_so_kindly(staff, sold):
    form = {"version": 1, "carrier": "DHL"}

    race([lambda: staff_like(staff).post(page_of(sold, "ship"), form)] * 2)
    third = move(staff, sold, "ship", carrier="DHL")

    assert messages_of(third)[-1] == "This was done already. The order is shipped."
    assert [event[0] for event in timeline(sold)] == ["placed", "shipped"]


@pytest.mark.parametrize(
    ("page", "form"),
    [("note", {"note": "Call her"}), ("cancel", {"reason": "torn", "restock": "on"})],
)
def test_a_second_click_of_any_move_is_known_for_one(staff, sold, page, form):
    units = {f"units_{Product.objects.get().pk}": 1}

    move(staff, sold, page, **form, **units)
    again = move(staff, sold, page, **form, **units)

    assert messages_of(again)[-1].startswith("This was done already.")
    assert len(timeline(sold)) == 2


def test_a_stale_page_is_refused_and_says_what_happened_since(staff, sold):
    add_note(sold.pk, "Do not ship", done_by="command:test")

    answer = move(staff, sold, "ship", carrier="DHL")

    assert messages_of(answer) == [
        "Nothing was done: the order has changed since you looked. command test noted. "
        "Look again, and repeat it if it is still right."
    ]
    assert timeline(sold)[-1][0] == "note_added"
    again = dict(re.findall(r'name="(\w+)" value="(\w*)"', answer.content.decode()))
    assert (again["carrier"], again["version"]) == ("DHL", "2")
    move(staff, sold, "ship", **again)
    assert timeline(sold)[-1][0] == "shipped"


def test_a_stale_page_of_a_move_that_is_no_longer_legal_leads_back(staff, sold):
    ship_order(sold.pk, done_by="command:test")

    answer = move(staff, sold, "ship", carrier="DHL")

    assert messages_of(answer) == [
        "Nothing was done: the order has changed since you looked. command test shipped the order."
    ]
    assert timeline(sold)[-1][0] == "shipped"
    assert answer.redirect_chain[-1][0] == page_of(sold, "change")


def test_the_page_of_a_move_that_is_not_legal_leads_back(staff, sold):
    answer = staff.get(page_of(sold, "extend"), follow=True)

    assert messages_of(answer) == [f"Order {sold.pk} is completed: this cannot be done to it now."]


def test_a_hold_whose_units_are_gone_says_what_is_short(staff):
    sofa = ProductFactory(name="Sofa", stock=3)
    swept = placed({sofa: 3}, hold=HOUR)
    Order.objects.update(hold_expires_at="2026-01-01T00:00:00Z")
    placed({sofa: 1})
    swept.refresh_from_db()

    answer = move(staff, swept, "complete", version=swept.version)

    assert answer.status_code == 200
    assert Order.objects.get(pk=swept.pk).status == "cancelled"
    assert messages_of(answer)


def test_from_the_holds_one_comes_back_to_the_holds(staff, held):
    sofa = Product.objects.get()
    form = {"version": 1, "reason": "not paid", "restock": "on", f"units_{sofa.pk}": 3}

    answer = staff.post(f"{page_of(held, 'cancel')}?back=holds", form, follow=True)

    assert answer.redirect_chain[-1][0] == reverse("admin:orders_order_holds")
    assert available(sofa) == 10


def test_who_may_only_look_has_no_buttons_and_moves_nothing(api, sold, django_user_model):
    viewer = django_user_model.objects.create_user("eva", password="a long password", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    api.force_login(viewer)

    page = api.get(page_of(sold, "change"))
    assert (page.status_code, page_of(sold, "ship") in page.content.decode()) == (200, False)
    assert page_of(sold, "note") not in page.content.decode()
    for name in ("ship", "cancel", "complete", "extend", "note"):
        assert api.get(page_of(sold, name)).status_code == 403
        assert api.post(page_of(sold, name), {"version": 1, "note": "x", "reason": "x"}).status_code == 403
    mark(api, "mark_shipped", sold, confirmed="yes")
    assert timeline(sold) == [("placed", "", "completed")]


def test_orders_are_marked_as_shipped_each_for_itself(staff, sold):
    handed_over = placed({ProductFactory(): 1})
    numbers = {f"number_{sold.pk}": "123"}

    question = mark(staff, "mark_shipped", sold, handed_over)
    assert f'name="number_{sold.pk}"' in question.content.decode()
    answer = mark(staff, "mark_shipped", sold, handed_over, confirmed="yes", carrier="DHL", **numbers)

    assert messages_of(answer) == [
        f"Order {handed_over.pk}: A completed order that was handed over cannot do this: ship.",
        "1 order is shipped now.",
    ]
    sold.refresh_from_db()
    assert sold.tracking == {"carrier": "DHL", "number": "123"}


def test_orders_that_are_marked_twice_are_shipped_once(staff, sold):
    mark(staff, "mark_shipped", sold, confirmed="yes")

    again = mark(staff, "mark_shipped", sold, confirmed="yes")

    assert messages_of(again)[-1] == f"Order {sold.pk}: nothing was done, since mia shipped the order meanwhile."
    assert [event[0] for event in timeline(sold)] == ["placed", "shipped"]


def test_orders_are_cancelled_after_a_question(staff, sold):
    lamp = Product.objects.get()

    question = mark(staff, "cancel", sold)
    assert "These orders" in question.content.decode()
    assert Order.objects.get().status == "completed"

    mark(staff, "cancel", sold, confirmed="yes", reason="torn", restock="on")
    order = Order.objects.get()
    assert (order.status, order.cancel_reason) == ("cancelled", "torn")
    assert (available(lamp), committed(lamp)) == (10, 0)


def test_a_cancellation_of_many_may_write_the_units_off(staff, sold):
    mark(staff, "cancel", sold, confirmed="yes", reason="torn")

    assert (available(Product.objects.get()), committed(Product.objects.get())) == (8, 0)


def test_a_cancellation_of_many_needs_a_reason_and_the_versions_that_were_seen(staff, sold):
    for form in ({"reason": ""}, {"reason": "torn", f"version_{sold.pk}": ""}):
        answer = mark(staff, "cancel", sold, confirmed="yes", **form)
        assert "This field is required." in answer.content.decode()

    assert Order.objects.get().status == "completed"


def test_too_many_orders_at_once_are_refused_before_the_first(staff, sold, monkeypatch):
    monkeypatch.setattr("orders.admin.bulk.AT_ONCE", 1)
    another = placed({Product.objects.get(): 1}, ship_to=ADDRESS)

    for action in ("mark_shipped", "cancel", "print_slips"):
        answer = mark(staff, action, sold, another, confirmed="yes", reason="torn")
        assert messages_of(answer) == ["At most 1 orders at once: nothing was done."]

    assert set(Order.objects.values_list("status", "shipped_at")) == {("completed", None)}


def test_all_that_are_listed_means_those_of_the_tab(staff, sold, held):
    """The box above the rows, and the offer to take those of the other pages too."""
    everything = {"action": "cancel", "_selected_action": [sold.pk], "select_across": "1"}

    question = staff.post(ORDERS, everything).content.decode()

    assert f'value="{sold.pk}"' in question
    assert f'value="{held.pk}"' not in question


def test_a_bug_is_not_dressed_up(staff, sold, monkeypatch):
    def break_down(*_, **__):
        raise ValueError("a bug")

    monkeypatch.setattr("orders.admin.OrderAdmin.get_queryset", break_down)
    assert staff.get(f"{ORDERS}?e=1").status_code == 500
    monkeypatch.undo()
    monkeypatch.setattr("orders.services.fulfilling.take_back", break_down)
    assert mark(staff, "cancel", sold, confirmed="yes", reason="torn").status_code == 500
