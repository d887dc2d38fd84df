"""A list of the back office costs the same on a million rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ecommerce import paginator
from tests.factories import ProductFactory

PRODUCTS = reverse("admin:catalog_product_changelist")


def test_a_short_list_is_counted_to_the_end(staff):
    ProductFactory.create_batch(3)

    page = staff.get(PRODUCTS)

    assert (page.context["cl"].result_count, page.context["cl"].paginator.is_capped) == (3, False)
    assert "3 products" in page.content.decode()
    assert "more than" not in page.content.decode()


def test_a_long_list_is_counted_so_far_and_says_that_there_is_more(staff, monkeypatch):
    monkeypatch.setattr(paginator, "MAX_ROWS", 3)
    ProductFactory.create_batch(5)

    with CaptureQueriesContext(connection) as queries:
        page = staff.get(PRODUCTS)

    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert [sql.count("LIMIT 4") for sql in counts] == [1]
    assert "more than 3 products" in page.content.decode()


def test_pages_end_where_the_count_does(staff, monkeypatch):
    monkeypatch.setattr(paginator, "MAX_ROWS", 150)
    monkeypatch.setattr("catalog.admin.ProductAdmin.list_per_page", 100)
    ProductFactory.create_batch(151)

    assert staff.get(PRODUCTS, {"p": 2}).status_code == 200
    assert staff.get(PRODUCTS, {"p": 3})["Location"] == f"{PRODUCTS}?e=1"


@pytest.mark.parametrize(("few", "sorts_what_it_found"), [(2, True), (1, False)])
def test_what_is_few_is_sorted_and_not_looked_for_along_the_ordering(staff, monkeypatch, few, sorts_what_it_found):
    monkeypatch.setattr(paginator, "MAX_ROWS", few)
    cheap, dear = ProductFactory(name="Lamp", price="5"), ProductFactory(name="Lamp", price="10")
    ProductFactory(name="Sofa")

    with CaptureQueriesContext(connection) as queries:
        page = staff.get(PRODUCTS, {"q": "lamp", "o": "-4"})

    assert list(page.context["cl"].result_list) == [dear, cheap]
    [sql] = [query["sql"] for query in queries if "ORDER BY" in query["sql"] and "@@" in query["sql"]]
    assert ("ORDER BY COALESCE(" in sql) == sorts_what_it_found


@pytest.mark.parametrize(("query", "shown"), [({}, 2), ({"q": "lamp"}, 2), ({"o": "-4", "q": "lamp"}, 2)])
def test_more_than_may_be_shown_at_once_are_shown_page_by_page(staff, monkeypatch, query, shown):
    for limit in ("list_per_page", "list_max_show_all"):
        monkeypatch.setattr(f"catalog.admin.ProductAdmin.{limit}", 2)
    ProductFactory.create_batch(5, name="Lamp")

    page = staff.get(PRODUCTS, {"all": "", **query})

    assert len(page.context["cl"].result_list) == shown
