"""Statements that PostgreSQL parses and plans once for each connection."""

import pytest
from django.db import connection

from ecommerce import prepared, settings
from orders.services import Line, OrderRequest, place_order
from tests.factories import ProductFactory, place

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fresh_connection():
    connection.close()
    yield
    connection.close()


def prepared_statements() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE NOT from_sql")
        return [statement for (statement,) in cursor.fetchall()]


@pytest.mark.usefixtures("fresh_connection")
def test_both_statements_of_an_order_are_prepared_whatever_the_size_of_its_numbers():
    small, large = ProductFactory(id=7), ProductFactory(id=5_000_000_000)
    for turn, product in enumerate((small, small, small, large)):
        place({product: 1})
        place({product: 1}, key=f"k-{turn}", fingerprint="f")

    statements = prepared_statements()

    assert len([statement for statement in statements if '"catalog_product"."price"' in statement]) == 1
    assert len([statement for statement in statements if "WITH placed" in statement]) == 1


@pytest.mark.usefixtures("fresh_connection")
def test_nothing_else_is_prepared():
    for _ in range(10):
        ProductFactory()
        list(connection.introspection.table_names())

    assert all("catalog_stock" in statement for statement in prepared_statements())


def test_behind_a_pooler_nothing_is_prepared(monkeypatch):
    monkeypatch.setattr(settings, "DATABASE_POOLER", True)

    options = settings.connection_options(settings.LIMITS_FOR_WEB)

    assert "prepare_threshold" not in options
    assert "options" not in options


@pytest.mark.usefixtures("fresh_connection")
def test_a_product_may_be_named_in_three_ways_in_one_order_again_and_again():
    products = [ProductFactory() for _ in range(3)]
    for _ in range(4):
        names = [products[0].pk, products[1].uuid, products[2].sku]
        placed = place_order(OrderRequest(lines=[Line(name, 1) for name in names], placed_by="open"))
        assert [item.product_id for item in placed.items] == [product.pk for product in products]
        products = products[1:] + products[:1]


def test_any_words_come_to_the_database_as_they_are():
    words = ["", " ", "NULL", "a,b", "{}", '"', "\\", '\\"', "%s", "it's\nnew", "灯"]

    assert prepared.fetch("SELECT %s::text[]", [prepared.texts(words)]) == [(words,)]
