import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.importing.previewing import preview
from catalog.models import StockMovement
from catalog.services import Cause, receive_stock
from ecommerce.models import Client
from ecommerce.people import names_of
from orders.services import ask_for_check
from tests.factories import ProductFactory

pytestmark = pytest.mark.django_db


def test_everybody_has_a_name_and_each_kind_costs_one_query(django_assert_num_queries):
    mia = User.objects.create_user("mia", first_name="Mia", last_name="Berg")
    tom = User.objects.create_user("tom")
    shop = Client.objects.create(name="Web shop", client_id="web")

    with django_assert_num_queries(2):
        names = names_of([f"staff:{mia.pk}", f"staff:{tom.pk}", f"app:{shop.client_id}", "command:work", "open"] * 50)

    assert names == {
        f"staff:{mia.pk}": "Mia Berg",
        f"staff:{tom.pk}": "tom",
        "app:web": "Web shop",
        "command:work": "command work",
        "open": "open caller",
    }


def test_who_is_gone_or_never_was_is_still_told_apart():
    assert names_of(["staff:999", "staff:x", "app:old", "nobody"]) == {
        "staff:999": "staff 999 (gone)",
        "staff:x": "staff x (gone)",
        "app:old": "client old (gone)",
        "nobody": "nobody",
    }


def test_where_nobody_is_to_be_named_nobody_is_asked(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert names_of(["open"]) == {"open": "open caller"}
        assert names_of([]) == {}


DEEDS = {
    "catalog_stockmovement": lambda who: receive_stock(ProductFactory(stock=0).pk, 1, cause=Cause(done_by=who)),
    "catalog_productimport": lambda who: preview("a.csv", b"sku,price\nNONE,1\n", done_by=who),
    "orders_bookscheck": lambda who: ask_for_check(done_by=who),
}


@pytest.mark.parametrize("model", DEEDS)
def test_lists_and_pages_name_whoever_did_it(staff, model):
    eva = User.objects.create_user("eva", first_name="Eva", last_name="Berg")
    row = DEEDS[model](f"staff:{eva.pk}")

    for page in (reverse(f"admin:{model}_changelist"), reverse(f"admin:{model}_change", args=[row.pk])):
        shown = staff.get(page).content.decode()
        assert "Eva Berg" in shown
        assert f"staff:{eva.pk}" not in shown


def test_the_people_of_a_list_are_asked_for_at_once(staff):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert staff.get(reverse("admin:catalog_stockmovement_changelist")).status_code == 200
        return len(asked)

    def work_of_somebody(name: str) -> None:
        DEEDS["catalog_stockmovement"](f"staff:{User.objects.create_user(name).pk}")

    work_of_somebody("a")
    queries()
    with_one = queries()
    for name in "bcd":
        work_of_somebody(name)

    assert queries() == with_one
    assert StockMovement.objects.values("done_by").distinct().count() == 4
