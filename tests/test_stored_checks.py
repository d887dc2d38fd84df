"""Checks of the books that are kept, and asked for by a button."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from orders.management.commands import work
from orders.models import BooksCheck, Order
from orders.services import ask_for_check, run_checks_asked_for
from tests.factories import ProductFactory, placed
from tests.test_dashboard import someone

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_command_keeps_what_came_out():
    order = placed({ProductFactory(): 1})
    call_command("check_books")
    Order.objects.update(total_price=100)
    with pytest.raises(CommandError):
        call_command("check_books")

    good, bad = BooksCheck.objects.order_by("pk")

    assert (good.asked_by, good.fault_count, good.faults) == ("command:check_books", 0, [])
    assert bad.fault_count == 1
    assert bad.faults == [
        {
            "invariant": "total_is_the_sum_of_its_lines",
            "what": f"order {order.pk}",
            "detail": "total 100.00, lines 19.99",
        }
    ]
    assert good.asked_at <= good.started_at <= good.finished_at


def test_a_worker_does_each_check_once():
    ask_for_check(done_by="staff:1")
    assert ask_for_check(done_by="staff:2").asked_by == "staff:1"

    run_checks_asked_for()
    finished = BooksCheck.objects.get().finished_at
    run_checks_asked_for()

    assert BooksCheck.objects.get().finished_at == finished


def test_the_button_asks_a_worker_and_the_page_says_what_is_off(staff):
    order = placed({ProductFactory(): 1})
    Order.objects.update(total_price=100)
    assert "not checked yet" in staff.get("/admin/").content.decode()

    page = staff.post("/admin/orders/bookscheck/now/", follow=True).content.decode()
    assert "Asked for at" in page
    assert "Check now" not in page

    work.Command().work_of_the_day()
    page = staff.get("/admin/").content.decode()
    assert "They do not balance: 1 row." in page
    [link] = re.findall(r'href="(/admin/orders/bookscheck/\d+/change/)"', page)
    assert f'href="/admin/orders/order/{order.pk}/change/"' in staff.get(link).content.decode()


def test_good_books_are_green(staff):
    call_command("check_books")

    assert "They balance." in staff.get("/admin/").content.decode()


def test_a_check_is_asked_for_where_there_is_none_yet(staff):
    page = staff.get("/admin/orders/bookscheck/").content.decode()

    assert f'action="{reverse("admin:orders_bookscheck_now")}"' in page


def test_who_may_not_ask_for_a_check_cannot(client, django_user_model):
    browser = someone(client, django_user_model, "view_bookscheck")

    for page in ("/admin/", "/admin/orders/bookscheck/"):
        assert "Check now" not in browser.get(page).content.decode()
    assert browser.post("/admin/orders/bookscheck/now/").status_code == 403
    assert browser.get("/admin/orders/bookscheck/now/").status_code == 405
    assert not BooksCheck.objects.exists()


@pytest.mark.parametrize(("permission", "is_led"), [("view_bookscheck", True), ("view_product", False)])
def test_the_menu_leads_whoever_may_look_to_the_checks(client, django_user_model, permission, is_led):
    page = someone(client, django_user_model, permission).get("/admin/").content.decode()

    assert ("Checks of the books" in page) == is_led
