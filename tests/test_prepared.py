"""Statements that PostgreSQL parses and plans once for each connection."""

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg import IsolationLevel

from catalog.models import ProductGroup
from ecommerce import prepared
from ecommerce.settings import LIMITS_FOR_WEB, connection_options
from orders.services import Line, OrderRequest, place_order
from tests.factories import ProductFactory, place
from tests.races import in_thread

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
def test_the_statements_of_an_order_are_prepared_once_whatever_the_size_of_its_numbers():
    small, large = ProductFactory(id=7), ProductFactory(id=5_000_000_000)
    for turn, product in enumerate((small, small, small, large)):
        place({product: 1})
        place({product: 1}, key=f"k-{turn}", fingerprint="f")

    for words in ("WITH found", "FOR NO KEY UPDATE", "SELECT FROM moved"):
        assert len([statement for statement in prepared_statements() if words in statement]) == 1


@pytest.mark.usefixtures("fresh_connection")
def test_nothing_else_is_prepared():
    for _ in range(10):
        ProductFactory()
        list(connection.introspection.table_names())

    assert all("catalog_stock" in statement for statement in prepared_statements())


@pytest.mark.usefixtures("fresh_connection")
def test_behind_a_pooler_nothing_is_prepared_and_nothing_asked_for(settings, monkeypatch):
    settings.DATABASE_POOLER = True
    lamp = ProductFactory()
    place({lamp: 1})

    assert prepared_statements() == []

    monkeypatch.setattr("ecommerce.settings.DATABASE_POOLER", True)
    assert "options" not in connection_options(LIMITS_FOR_WEB)


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

    assert prepared.fetch("SELECT %(words)s::text[]", {"words": prepared.texts(words)}) == [(words,)]


# Several travel together

SEVERAL = prepared.THEN.join(["SELECT %(word)s::text", "SELECT %(other)s::text, %(word)s::text", "SELECT"])


@pytest.mark.parametrize("commit", [True, False])
def test_of_several_statements_the_first_answers(commit):
    for word in ("one", "two"):
        with transaction.atomic():
            assert prepared.fetch(SEVERAL, {"word": word, "other": "x"}, commit=commit) == [(word,)]
    assert prepared.fetch(SEVERAL, {"word": "alone", "other": "x"}) == [("alone",)]


@pytest.mark.parametrize("commit", [True, False])
def test_of_several_statements_all_are_done_or_none(commit):
    both = prepared.THEN.join([NEW_GROUP, NEW_GROUP.replace("handle)s", "other)s")])
    with transaction.atomic():
        prepared.fetch(both, {"handle": "caps", "other": "shirts"}, commit=commit)
    assert seen_by_others() == ["caps", "shirts"]

    with pytest.raises(IntegrityError, match="group_handle_is_unique"), transaction.atomic():
        prepared.fetch(both, {"handle": "socks", "other": "caps"}, commit=commit)
    assert seen_by_others() == ["caps", "shirts"]


# The last statement of a transaction commits it

NEW_GROUP = "INSERT INTO catalog_productgroup (handle, title) VALUES (%(handle)s, '') RETURNING id"


def add_group(handle: str) -> None:
    prepared.fetch(NEW_GROUP, {"handle": handle}, commit=True)


def seen_by_others() -> list[str]:
    thread, outcomes = in_thread(lambda: sorted(ProductGroup.objects.values_list("handle", flat=True)))
    thread.join()
    return outcomes[0]


@pytest.mark.parametrize("commit", [True, False])
def test_it_is_there_for_others_before_the_block_ends(commit):
    with transaction.atomic(durable=True):
        prepared.fetch(NEW_GROUP, {"handle": "shirts"}, commit=commit)
        assert seen_by_others() == (["shirts"] if commit else [])
    assert seen_by_others() == ["shirts"]


def test_what_the_block_did_before_is_committed_with_it():
    with transaction.atomic(durable=True):
        ProductGroup.objects.create(handle="caps")
        add_group("shirts")
        assert seen_by_others() == ["caps", "shirts"]


@pytest.mark.usefixtures("fresh_connection")
@pytest.mark.parametrize(("level", "told"), [(None, "read committed"), (IsolationLevel.SERIALIZABLE, "serializable")])
def test_the_transaction_has_the_isolation_of_the_connection(level, told):
    connection.ensure_connection()
    connection.connection.isolation_level = level

    with transaction.atomic():
        assert prepared.fetch("SELECT current_setting('transaction_isolation')", {}, commit=True) == [(told,)]


def test_in_an_inner_block_it_waits_for_the_outer_one():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with transaction.atomic():
            add_group("shirts")
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with transaction.atomic(savepoint=False):
            add_group("shirts")
        raise ZeroDivisionError

    assert not ProductGroup.objects.exists()


def test_actions_for_after_the_commit_come_after_it():
    seen = []
    with transaction.atomic():
        transaction.on_commit(lambda: seen.append(seen_by_others()))
        add_group("shirts")
        assert seen == []
    assert seen == [["shirts"]]


def test_where_it_fails_nothing_of_the_transaction_is_left_and_the_connection_is_as_good_as_before():
    add_group("shirts")

    with pytest.raises(IntegrityError, match="group_handle_is_unique"), transaction.atomic():
        ProductGroup.objects.create(handle="caps")
        add_group("shirts")

    assert seen_by_others() == ["shirts"]
    add_group("socks")
    assert seen_by_others() == ["shirts", "socks"]


def test_where_the_commit_fails_so_does_the_statement():
    event = """
        INSERT INTO orders_orderevent (order_id, kind, old_status, new_status, done_by, request_id, data)
        VALUES (%(order)s, 'placed', '', 'completed', 'open', '', '{}') RETURNING id
    """
    with pytest.raises(IntegrityError, match="foreign key"), transaction.atomic():
        prepared.fetch(event, {"order": prepared.number(1)}, commit=True)

    place({ProductFactory(): 1})


def test_a_server_that_ends_the_session_leaves_nothing_and_the_next_finds_another():
    with pytest.raises(OperationalError), transaction.atomic():
        ProductGroup.objects.create(handle="caps")
        prepared.fetch("SELECT pg_terminate_backend(pg_backend_pid())::text", {}, commit=True)

    add_group("shirts")
    assert seen_by_others() == ["shirts"]


def test_where_answers_are_missing_nothing_counts_as_committed(monkeypatch):
    def nothing(pgconn):
        return []
        yield

    with pytest.raises(OperationalError), transaction.atomic(), monkeypatch.context() as patched:
        patched.setattr("psycopg.generators.fetch_many", nothing)
        add_group("caps")

    add_group("shirts")


def test_whoever_is_interrupted_on_the_way_leaves_no_connection_that_others_could_take_for_a_good_one(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), transaction.atomic(), monkeypatch.context() as patched:
        patched.setattr(prepared, "answers_from", interrupt)
        add_group("shirts")

    place({ProductFactory(): 1})
