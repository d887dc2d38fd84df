import pytest
from django.contrib.auth.models import User

from ecommerce.models import Client
from ecommerce.people import names_of

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
