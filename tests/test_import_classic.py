"""Moving in: the tables of the classic application, copied into an empty shop."""

import secrets
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlencode

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from catalog.models import Product, Stock, StockMovement
from orders.books import INVARIANTS, Fault, check_books
from orders.models import Order, OrderEvent, OrderItem
from orders.moving_in import moving
from orders.moving_in.source import opened
from orders.services import cancel_order
from tests.factories import TEST, ProductFactory, available, ledger, placed, timeline

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = """
    CREATE TABLE products (id serial PRIMARY KEY, name varchar, description varchar, price float, stock int);
    CREATE TABLE orders (id serial PRIMARY KEY, total_price float, status varchar);
    CREATE TABLE order_items (id serial PRIMARY KEY, order_id int, product_id int, quantity int, price_at_time float,
                              subtotal float);
"""
BALANCE = f"The books balance: {len(INVARIANTS)} invariants hold.\n"


class Classic:
    """The earlier application's database."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.url = url_of(name)

    def run(self, sql: str) -> None:
        with psycopg.connect(self.url) as source:
            source.execute(sql)

    def sold(self, products: str, orders: str = "", items: str = "") -> None:
        """Fill the tables with these rows, written as SQL values."""
        for table, rows in {"products": products, "orders": orders, "order_items": items}.items():
            if rows:
                self.run(f"INSERT INTO {table} VALUES {rows}")


def url_of(database: str) -> str:
    """On the server of the tests, wherever that is."""
    given = connection.get_connection_params()
    server = {key: given[key] for key in ("user", "password", "host", "port") if given.get(key)}
    return f"postgresql:///{database}?{urlencode(server)}"


def on_server(sql: str) -> None:
    with psycopg.connect(url_of(connection.settings_dict["NAME"]), autocommit=True) as server:
        server.execute(sql)


@pytest.fixture(scope="module")
def database(django_db_setup) -> Iterator[str]:
    name = f"classic_{secrets.token_hex(4)}"
    on_server(f"CREATE DATABASE {name}")
    yield name
    on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def classic(database) -> Classic:
    source = Classic(database)
    source.run("DROP TABLE IF EXISTS products, orders, order_items;" + TABLES)
    return source


@pytest.fixture
def small(classic) -> Classic:
    """Two products, three orders, one of them cancelled."""
    classic.sold(
        "(3, 'Lamp', 'Gives light', 19.99, 10), (7, 'Ink', 'Blue', 0.1, 0)",
        "(2, 59.97, 'completed'), (5, 40.18, 'completed'), (9, 0.3, 'cancelled')",
        "(1, 2, 3, 3, 19.99, 59.97), (2, 5, 7, 2, 0.1, 0.2), (4, 5, 3, 2, 19.99, 39.98), (6, 9, 7, 3, 0.1, 0.3)",
    )
    return classic


def move_in(source: Classic, *options: str) -> None:
    call_command("import_classic", f"--from={source.url}", *options)


def counts() -> list[int]:
    return [model.objects.count() for model in (Product, Stock, StockMovement, Order, OrderItem, OrderEvent)]


def empty_the_shop() -> None:
    """And number its rows from 1 again."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_product, catalog_productchange, orders_order RESTART IDENTITY CASCADE")


def refusal_of(source: Classic, capsys) -> tuple[str, list[str]]:
    """The one sentence and the rows named before it; nothing may have changed."""
    before = counts()
    with pytest.raises(CommandError) as refusal:
        move_in(source)
    assert counts() == before
    return str(refusal.value), capsys.readouterr().err.splitlines()


def test_takes_products_with_their_ids_and_stock(small, capsys):
    move_in(small)

    columns = ("id", "name", "description", "price", "stock__available", "stock__committed")
    assert list(Product.objects.order_by("id").values_list(*columns)) == [
        (3, "Lamp", "Gives light", Decimal("19.99"), 10, 0),
        (7, "Ink", "Blue", Decimal("0.10"), 0, 0),
    ]
    assert [len(sku) for sku in Product.objects.values_list("sku", flat=True)] == [11, 11]
    assert "Imported: 2 products, 3 orders, 4 lines." in capsys.readouterr().out


def test_takes_orders_with_their_ids_and_lines(small, settings):
    settings.SHOP_CURRENCY = "CHF"

    move_in(small)

    columns = ("id", "status", "total_price", "current_total", "currency", "placed_by")
    assert list(Order.objects.order_by("id").values_list(*columns)) == [
        (2, "completed", Decimal("59.97"), Decimal("59.97"), "CHF", "command:import_classic"),
        (5, "completed", Decimal("40.18"), Decimal("40.18"), "CHF", "command:import_classic"),
        (9, "cancelled", Decimal("0.30"), Decimal("0.00"), "CHF", "command:import_classic"),
    ]
    line = (
        "id",
        "order_id",
        "product_id",
        "product_name",
        "quantity",
        "cancelled_quantity",
        "price_at_time",
        "subtotal",
    )
    assert list(OrderItem.objects.values_list(*line)) == [
        (1, 2, 3, "Lamp", 3, 0, Decimal("19.99"), Decimal("59.97")),
        (2, 5, 7, "Ink", 2, 0, Decimal("0.10"), Decimal("0.20")),
        (4, 5, 3, "Lamp", 2, 0, Decimal("19.99"), Decimal("39.98")),
        (6, 9, 7, "Ink", 3, 3, Decimal("0.10"), Decimal("0.30")),
    ]
    assert all(item.sku == item.product.sku for item in OrderItem.objects.select_related("product"))


def test_the_ledger_tells_how_the_stock_came_about(small):
    move_in(small)

    assert ledger(Product.objects.get(pk=3)) == [
        ("opening", 15, 0, 15),
        ("ordered", -3, 0, 12),
        ("ordered", -2, 0, 10),
    ]
    assert set(StockMovement.objects.values_list("done_by", flat=True)) == {"command:import_classic"}
    assert check_books() == []


def test_a_cancelled_order_took_its_units_and_gave_them_back(small, capsys):
    """Nothing was left of Ink, so the units that came back must have gone again."""
    move_in(small)

    assert ledger(Product.objects.get(pk=7)) == [
        ("opening", 5, 0, 5),
        ("ordered", -2, 0, 3),
        ("ordered", -3, 0, 0),
        ("returned", 3, 0, 3),
        ("adjusted", -3, 0, 0),
    ]
    assert "products 7: ledger, after its cancelled orders, 3 -> 0\n" in capsys.readouterr().out
    assert timeline(Order.objects.get(pk=9)) == [("placed", "", "completed"), ("cancelled", "completed", "cancelled")]


def test_a_cancelled_order_is_what_our_own_cancellation_makes(small):
    lamp = ProductFactory()
    ours = cancel_order(placed({lamp: 3}).pk, done_by="staff:1")
    our_event = ours.events.last()
    empty_the_shop()

    move_in(small)

    theirs = Order.objects.get(pk=9)
    assert (theirs.version, theirs.legal_moves, theirs.ship_to) == (ours.version, [], ours.ship_to)
    assert theirs.events.last().data == {**our_event.data, "quantities": {"7": 3}}
    assert theirs.cancelled_at == theirs.completed_at == theirs.created_at


def test_new_rows_get_ids_beyond_the_imported_ones(small):
    empty_the_shop()

    move_in(small)

    lamp = Product.objects.get(pk=3)
    new = ProductFactory()
    order = placed({lamp: 1, new: 1})

    assert (new.pk, order.pk) == (8, 10)
    assert [item.pk for item in order.items.all()] == [7, 8]
    assert available(lamp) == 9
    assert check_books() == []


def test_an_imported_order_can_be_returned(small):
    move_in(small)

    assert cancel_order(5, done_by="staff:1").status == "cancelled"
    assert (available(Product.objects.get(pk=3)), available(Product.objects.get(pk=7))) == (12, 2)
    assert check_books() == []


def test_amounts_become_cents_and_every_change_is_listed(classic, capsys):
    classic.sold(
        "(1, 'Up', '', 0.125, 1), (2, 'Down', '', 0.124, 1), (3, 'Half', '', 1.005, 1), (4, 'Even', '', 2.5, 1)",
        "(1, 1.01, 'completed'), (2, 99, 'completed')",
        "(1, 1, 3, 1, 1.005, 1.005), (2, 2, 4, 2, 2.5, 7), (3, 2, 1, 3, 0.13, 0.39)",
    )

    move_in(classic)

    assert capsys.readouterr().out == (
        "products 1: price 0.125 -> 0.13\n"
        "products 2: price 0.124 -> 0.12\n"
        "products 3: price 1.005 -> 1.01\n"
        "order_items 1 (order 1): price_at_time 1.005 -> 1.01\n"
        "order_items 2 (order 2): subtotal 7.0 -> 5.00\n"
        "orders 2: total_price 99.0 -> 5.39\n"
        "Imported: 4 products, 2 orders, 3 lines. Differences: 6, all listed above.\n" + BALANCE
    )
    prices = Product.objects.order_by("id").values_list("price", flat=True)
    assert list(prices) == [Decimal("0.13"), Decimal("0.12"), Decimal("1.01"), Decimal("2.50")]
    assert list(Order.objects.order_by("id").values_list("total_price", flat=True)) == [
        Decimal("1.01"),
        Decimal("5.39"),
    ]


def test_repairs_what_has_one_plain_meaning_and_lists_it(classic, capsys):
    name = "n" * 256
    classic.sold(
        f"(1, '{name}', NULL, 1, -4), (2, 'Ink', '', 1, NULL)",
        "(1, NULL, 'COMPLETED'), (2, 1, 'Canceled')",
        "(1, 1, 1, 2, 1, NULL), (2, 1, 2, 1, 1, 1), (3, 1, 1, 3, 1, 3), (4, 2, 2, 1, 1, 1)",
    )

    move_in(classic)

    assert capsys.readouterr().out.splitlines()[:-2] == [
        'products 1: description empty -> ""',
        "products 1: stock -4 -> 0",
        f"products 1: name '{name}' (256 characters) -> its first 255",
        "products 2: stock empty -> 0",
        "order_items 1 (order 1): subtotal empty -> 2.00",
        "orders 1: items 1 and 3 of product 1, units 2 + 3 -> 5",
        "orders 1: total_price empty -> 6.00",
        "products 2: ledger, after its cancelled orders, 1 -> 0",
    ]
    assert ledger(Product.objects.get(pk=1)) == [("opening", 5, 0, 5), ("ordered", -5, 0, 0)]
    assert list(OrderItem.objects.filter(order_id=1).values_list("product_id", "quantity")) == [(1, 5), (2, 1)]
    assert check_books() == []


def test_the_remainder_of_a_float_is_no_difference(classic, capsys):
    classic.sold("(1, 'Ink', '', 0.1, 1)", "(1, 0.1::float + 0.2, 'completed')", "(1, 1, 1, 3, 0.1, 0.1::float + 0.2)")

    move_in(classic)

    assert "Differences: 0, " in capsys.readouterr().out


def test_names_every_row_that_it_cannot_take_and_changes_nothing(classic, capsys):
    classic.sold(
        """(1, 'Lamp', '', 1, 1), (2, '', '', 1, 1), (3, 'Ink', '', 0, 1), (4, 'Ink', '', 0.004, 1),
           (5, 'Ink', '', 'NaN', 1), (6, 'Ink', '', 'Infinity', 1), (7, 'Ink', '', 1e300, 1),
           (8, 'Ink', '', NULL, 1)""",
        """(1, 1, 'completed'), (2, 1, 'completed'), (3, 1, 'paid'), (4, 1, 'completed'), (5, 1, 'completed'),
           (6, 1, 'completed'), (7, 1, NULL)""",
        """(1, 1, 1, 0, 1, 0), (2, 2, 1, 1000001, 1, 1000001), (3, 3, 1, 1, 1, 1), (4, 4, 9, 1, 1, 1),
           (5, 5, 1, 1, 1, 1), (6, 5, 1, 1, 2, 2), (7, 7, 1, 1000000, 9999999999, 0), (8, 8, 1, 1, 1, 1),
           (9, NULL, 1, 1, 1, 1)""",
    )

    sentence, names = refusal_of(classic, capsys)

    assert sentence == "Nothing was imported: the source has 17 faults."
    assert names == [
        "products 2: name is empty",
        "products 3: price 0.0 is not 0.01 to 9999999999.99",
        "products 4: price 0.004 is not 0.01 to 9999999999.99",
        "products 5: price nan is not 0.01 to 9999999999.99",
        "products 6: price inf is not 0.01 to 9999999999.99",
        "products 7: price 1e+300 is not 0.01 to 9999999999.99",
        "products 8: price empty is not 0.01 to 9999999999.99",
        "order_items 1 (order 1): quantity 0 is not 1 to 1000000",
        "order_items 2 (order 2): quantity 1000001 is not 1 to 1000000",
        "orders 3: status 'paid' is neither completed nor cancelled",
        "order_items 4 (order 4): product 9 does not exist",
        "orders 5: items 5 and 6 of product 1 have two prices, 1.00 and 2.00",
        "orders 6: has no items",
        "orders 7: status None is neither completed nor cancelled",
        "orders 7: total 9999999999000000.00 is above 999999999999.99",
        "order_items 8: order 8 does not exist",
        "order_items 9: order None does not exist",
    ]


def test_names_twenty_rows_and_counts_the_rest(classic, capsys):
    classic.run("INSERT INTO products SELECT n, 'Ink', '', 0, 1 FROM generate_series(1, 23) n")

    sentence, names = refusal_of(classic, capsys)

    assert sentence == "Nothing was imported: the source has 23 faults."
    assert (len(names), names[-1]) == (21, "... and 3 more")


def test_refuses_ids_that_do_not_tell_rows_apart(classic, capsys):
    classic.run("ALTER TABLE orders DROP CONSTRAINT orders_pkey")
    classic.sold("(1, 'Lamp', '', 1, 1)", "(1, 1, 'completed'), (1, 1, 'completed')", "(1, 1, 1, 1, 1, 1)")

    assert refusal_of(classic, capsys) == (
        "Nothing was imported: the source has 1 fault.",
        ["orders 1: 2 rows have this id"],
    )


def test_a_second_run_finds_nothing_to_do(small, capsys):
    move_in(small)
    before = counts()
    capsys.readouterr()

    move_in(small)

    assert (
        capsys.readouterr().out == "Nothing to do: the shop already holds the source's 2 products, 3 orders, 4 lines.\n"
    )
    assert counts() == before


def test_what_was_sold_since_is_no_difference(small, capsys):
    move_in(small)
    placed({Product.objects.get(pk=3): 1, ProductFactory(): 1})

    move_in(small)

    assert "Nothing to do: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ("UPDATE products SET price = 20 WHERE id = 3", "product 3"),
        ("UPDATE products SET stock = 11 WHERE id = 3", "product 3"),
        ("INSERT INTO products VALUES (8, 'New', '', 1, 1)", "product 8"),
        ("UPDATE orders SET status = 'cancelled' WHERE id = 2", "order 2"),
        ("UPDATE order_items SET price_at_time = 19.98 WHERE id = 1", "order 2"),
        (
            "INSERT INTO orders VALUES (10, 1, 'completed'); INSERT INTO order_items VALUES (9, 10, 3, 1, 1, 1)",
            "order 10",
        ),
    ],
)
def test_refuses_a_source_that_went_on_after_the_import(small, capsys, change, differs):
    move_in(small)
    small.run(change)

    sentence, _ = refusal_of(small, capsys)

    assert sentence == f"Nothing was imported: the shop is not empty, and {differs} differs there."


def test_refuses_a_shop_that_is_not_empty(small, capsys):
    ProductFactory(cause=TEST)

    assert refusal_of(small, capsys)[0] == "Nothing was imported: the shop is not empty, and product 3 differs there."


def test_a_dry_run_reports_the_same_and_takes_everything_back(small, capsys):
    move_in(small, "--dry-run")

    dry = capsys.readouterr().out
    assert counts() == [0] * 6
    move_in(small)
    assert dry == capsys.readouterr().out + "This was a dry run: nothing was changed.\n"


def test_a_dry_run_leaves_the_numbering_alone(small):
    empty_the_shop()

    move_in(small, "--dry-run")

    assert ProductFactory().pk == 1


def test_rolls_back_when_the_books_would_not_balance(small, capsys, monkeypatch):
    monkeypatch.setattr(moving, "find_faults", lambda: [Fault("no_order_is_empty", "order 2", "has no lines")])

    sentence, names = refusal_of(small, capsys)

    assert sentence == "Nothing was imported: the books would not balance, 1 row breaks an invariant."
    assert names == ["no_order_is_empty: order 2: has no lines"]
    assert counts() == [0] * 6


def test_an_empty_source_is_an_empty_shop(classic, capsys):
    move_in(classic)

    assert capsys.readouterr().out.startswith("Imported: 0 products, 0 orders, 0 lines. Differences: 0")
    assert ProductFactory().pk


def test_takes_the_address_with_the_driver_that_the_classic_application_names(small):
    small.url = small.url.replace("postgresql://", "postgresql+psycopg2://")

    move_in(small)

    assert Order.objects.count() == 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("DROP TABLE order_items", 'The source cannot be read: relation "order_items" does not exist'),
        ("ALTER TABLE products DROP stock", 'The source cannot be read: column "stock" does not exist'),
        (
            "ALTER TABLE orders ALTER id TYPE text, ALTER id DROP DEFAULT",
            "The source's orders.id holds no whole numbers but text.",
        ),
    ],
)
def test_says_what_the_source_lacks(classic, capsys, change, sentence):
    if "TYPE text" in change:
        classic.run("ALTER TABLE orders ALTER id DROP DEFAULT")
    classic.run(change)

    assert refusal_of(classic, capsys)[0] == sentence


@pytest.mark.parametrize(
    "url", ["", "classic", "mysql://host/shop", "postgresql://[secret", "postgresql://h/?secret=1"]
)
def test_says_what_an_address_looks_like(url):
    with pytest.raises(CommandError) as refusal:
        call_command("import_classic", f"--from={url}")

    assert str(refusal.value) == "--from must be like postgresql://user:password@host/database."


def test_says_that_nobody_answers():
    with pytest.raises(CommandError, match=r"^The source cannot be read: connection .+ failed: [^\n]+$"):
        call_command("import_classic", "--from=postgresql://mia:secret@127.0.0.1:1/shop")


def test_two_imports_of_one_source_do_not_take_it_for_the_shop(small):
    with opened(small.url), opened(small.url) as second:
        assert not second.is_the_shop()


def test_refuses_the_shop_as_its_own_source():
    shop = Classic(str(connection.settings_dict["NAME"]))

    with pytest.raises(CommandError, match=r"^The source is the shop's own database\.$"):
        move_in(shop)
