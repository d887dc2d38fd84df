from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from catalog.errors import InsufficientStock, UnknownProduct
from catalog.models import MAX_PRICE, Product, Stock, StockMovement
from catalog.services import import_products, update_product
from ecommerce.errors import IdempotencyMismatch
from ecommerce.prepared import THEN
from orders.errors import OrderTooLarge, PriceChanged
from orders.lines import PricedItem
from orders.models import MAX_QUANTITY, Order, OrderEvent, OrderItem
from orders.services import Line, OrderRequest, place_order, placing, quote_order, writing
from tests.factories import ADDRESS, TEST, ProductFactory, available, committed, ledger, place, timeline
from tests.races import in_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sold_meanwhile(monkeypatch):
    """So often the statement of an order does not see what is short: it comes as late as if others had just sold it."""
    words_to_place, blind = (
        writing.words_to_place,
        writing.PLACE_ORDER.replace("bool_and(available >= quantity)", "TRUE"),
    )

    def happens(*, times: int) -> list[type]:
        tries: list[type] = []

        def words(kind: type) -> str:
            tries.append(kind)
            with monkeypatch.context() as patched:
                if len(tries) <= times:
                    patched.setattr(writing, "PLACE_ORDER", blind)
                return words_to_place.__wrapped__(kind)

        monkeypatch.setattr(writing, "words_to_place", words)
        return tries

    return happens


def told(refusal: InsufficientStock) -> list[tuple[int, int, int]]:
    return [(shortage.product.pk, shortage.wanted, shortage.available) for shortage in refusal.shortages]


def test_takes_the_stock_and_records_the_order():
    lamp, ink = ProductFactory(name="Lamp", price=Decimal("19.99")), ProductFactory(name="Ink", price=Decimal("4.50"))

    placed = place({lamp: 3, ink: 1})

    order = Order.objects.get()
    assert placed.order == order
    assert (order.status, order.total_price, order.current_total) == ("completed", Decimal("64.47"), Decimal("64.47"))
    lines = OrderItem.objects.values_list("product_name", "sku", "quantity", "price_at_time", "subtotal")
    assert list(lines) == [
        ("Lamp", lamp.sku, 3, Decimal("19.99"), Decimal("59.97")),
        ("Ink", ink.sku, 1, Decimal("4.50"), Decimal("4.50")),
    ]
    assert ledger(lamp) == [("opening", 10, 0, 10), ("ordered", -3, 0, 7)]
    assert StockMovement.objects.filter(order_uuid=order.uuid).count() == 2
    assert timeline(order) == [("placed", "", "completed")]
    assert (available(lamp), available(ink)) == (7, 9)


def test_changes_nothing_when_any_line_is_short():
    lamp, sofa, rug = ProductFactory(stock=10), ProductFactory(stock=1), ProductFactory(stock=0)

    with pytest.raises(InsufficientStock) as refusal:
        place({lamp: 1, sofa: 2, rug: 1})

    assert told(refusal.value) == [(sofa.pk, 2, 1), (rug.pk, 1, 0)]
    assert available(lamp) == 10
    assert not Order.objects.exists()
    assert not OrderEvent.objects.exists()


def test_names_the_first_short_line_in_the_order_of_the_request():
    rug, sofa = ProductFactory(name="Rug", stock=0), ProductFactory(name="Sofa", stock=0)

    with pytest.raises(InsufficientStock) as refusal:
        place({sofa: 1, rug: 1})

    assert str(refusal.value) == f"Insufficient stock for product {sofa.pk} : Sofa"


def test_knows_no_product_that_is_absent_or_archived():
    lamp, old = ProductFactory(), ProductFactory(is_active=False)

    for stranger in (old.pk, 999_999):
        with pytest.raises(UnknownProduct, match=f"Product with ID {stranger} not found"):
            place_order(OrderRequest(lines=[Line(lamp.pk, 1), Line(stranger, 1)], placed_by="open"))

    assert available(lamp) == 10
    assert not Order.objects.exists()


def test_merges_a_product_that_stands_twice_into_its_first_place():
    lamp, ink = ProductFactory(stock=5), ProductFactory()
    lines = [Line(lamp.pk, 2), Line(ink.pk, 1), Line(lamp.pk, 3)]

    placed = place_order(OrderRequest(lines=lines, placed_by="open"))

    assert [(item.product_id, item.quantity) for item in placed.items] == [(lamp.pk, 5), (ink.pk, 1)]
    assert available(lamp) == 0


def test_what_was_sold_since_it_was_looked_at_is_looked_at_again_and_told(sold_meanwhile):
    lamp = ProductFactory(stock=1)
    tries = sold_meanwhile(times=1)

    with pytest.raises(InsufficientStock) as refusal:
        place({lamp: 2})

    assert told(refusal.value) == [(lamp.pk, 2, 1)]
    assert len(tries) > 1
    assert (Order.objects.count(), available(lamp)) == (0, 1)


def test_an_order_that_always_comes_too_late_ends(sold_meanwhile):
    lamp = ProductFactory(stock=1)
    tries = sold_meanwhile(times=1_000)

    with pytest.raises(IntegrityError, match="stock_available_not_negative"):
        place({lamp: 2})

    assert len(tries) == placing.TRIES
    assert (Order.objects.count(), available(lamp)) == (0, 1)


def test_two_lines_of_one_product_count_together_against_the_stock():
    lamp = ProductFactory(stock=4)

    with pytest.raises(InsufficientStock) as refusal:
        place_order(OrderRequest(lines=[Line(lamp.pk, 2), Line(lamp.pk, 3)], placed_by="open"))

    assert told(refusal.value) == [(lamp.pk, 5, 4)]
    assert available(lamp) == 4


def test_takes_its_price_from_the_shop_and_keeps_it():
    lamp = ProductFactory(price=Decimal("10.00"))
    order = place({lamp: 1}).order

    update_product(lamp.pk, {"price": Decimal("99.00"), "name": "Dear lamp"}, cause=TEST)

    item = order.items.get()
    assert (item.price_at_time, item.product_name) == (Decimal("10.00"), lamp.name)


@pytest.mark.parametrize(
    ("prices", "total"),
    [
        (["0.10", "0.20"], "0.30"),
        (["19.99"] * 3, "59.97"),
        (["0.01"] * 7 + ["1.10", "2.20"], "3.37"),
        (["9999999999.99"] * 99, "989999999999.01"),
    ],
)
def test_adds_money_exactly(prices, total):
    products = [ProductFactory(price=Decimal(price)) for price in prices]

    assert place(dict.fromkeys(products, 1)).order.total_price == Decimal(total)


def test_adds_two_thousand_lines_exactly():
    products = [Product(id=n, name=f"Bead {n}", price=Decimal("0.07")) for n in range(1, 2_001)]
    with transaction.atomic():
        import_products(products, opening=[3] * len(products), done_by="command:test", note="")

    placed = place(dict.fromkeys(products, 3))

    assert placed.order.total_price == Decimal("420.00")
    assert OrderItem.objects.count() == 2_000


def test_refuses_what_no_order_can_hold():
    dear, cheap = ProductFactory(price=Decimal("9999999999.99"), stock=200), ProductFactory(stock=9_000_000)
    too_large = [[Line(dear.pk, 101)], [Line(cheap.pk, 600_000)] * 2, [Line(cheap.pk, 1)] * 2_001]

    for lines in too_large:
        with pytest.raises(OrderTooLarge):
            place_order(OrderRequest(lines=lines, placed_by="open"))

    assert (available(dear), available(cheap)) == (200, 9_000_000)
    assert not Order.objects.exists()


def test_with_an_address_the_units_wait_on_the_shelf():
    lamp = ProductFactory()

    order = place({lamp: 4}, ship_to=ADDRESS).order

    assert (available(lamp), committed(lamp)) == (6, 4)
    assert order.legal_moves == ["ship", "cancel"]


def test_a_held_order_is_pending_until_a_time_by_the_clock_of_the_database():
    lamp = ProductFactory()

    order = place({lamp: 4}, hold=timedelta(minutes=15)).order

    order.refresh_from_db()
    assert (order.status, order.completed_at) == ("pending", None)
    assert timedelta(minutes=14, seconds=55) < order.hold_expires_at - order.created_at <= timedelta(minutes=15)
    assert (available(lamp), committed(lamp)) == (6, 4)


def test_a_key_places_one_order_however_often_it_is_sent():
    lamp = ProductFactory(stock=1)
    first = place({lamp: 1}, key="k-1", fingerprint="f")

    again = place({lamp: 1}, key="k-1", fingerprint="f")

    assert (first.replayed, again.replayed) == (False, True)
    assert again.order == first.order
    assert [(item.sku, item.quantity) for item in again.items] == [(item.sku, item.quantity) for item in first.items]
    assert Order.objects.count() == 1
    assert available(lamp) == 0


def test_a_key_refuses_another_request():
    lamp = ProductFactory()
    place({lamp: 1}, key="k-1", fingerprint="f")

    with pytest.raises(IdempotencyMismatch):
        place({lamp: 2}, key="k-1", fingerprint="g")

    assert available(lamp) == 9


def test_a_key_belongs_to_its_client():
    lamp = ProductFactory()
    mine = place({lamp: 1}, key="k-1", fingerprint="f")

    theirs = place({lamp: 1}, key="k-1", fingerprint="f", placed_by="app:other")

    assert theirs.order != mine.order
    assert available(lamp) == 8


def test_a_refusal_does_not_use_the_key_up():
    lamp = ProductFactory(stock=0)
    with pytest.raises(InsufficientStock):
        place({lamp: 1}, key="k-1", fingerprint="f")
    rug = ProductFactory()

    assert not place({rug: 1}, key="k-1", fingerprint="g").replayed


@pytest.mark.parametrize("lines", [1, 200])
def test_takes_three_statements_in_one_journey_whatever_the_number_of_lines(lines):
    products = [ProductFactory() for _ in range(lines)]

    with CaptureQueriesContext(connection) as queries:
        place(dict.fromkeys(products, 1), key="k-1", fingerprint="f")

    began, sent, committed = (query["sql"] for query in queries)
    assert (began, committed) == ("BEGIN", "COMMIT")
    assert [statement.split()[0] for statement in sent.split(THEN)] == ["WITH", "SELECT", "WITH"]
    assert StockMovement.objects.filter(kind="ordered").count() == OrderItem.objects.count() == lines


def test_to_postgresql_it_is_three_statements_and_one_sync(tmp_path):
    products = [ProductFactory() for _ in range(3)]
    place(dict.fromkeys(products, 1))  # which prepares them
    server = connection.connection.pgconn

    with (tmp_path / "trace").open("w+") as trace:
        server.trace(trace.fileno())
        place(dict.fromkeys(products, 1))
        server.untrace()
        trace.seek(0)
        lines = [line.rstrip().split("\t") for line in trace]  # time, Frontend or Backend, length, message

    sent = Counter(message for _, sender, _, message, *_ in lines if sender == "F")
    assert sent == {"Bind": 3, "Describe": 3, "Execute": 3, "Sync": 1}


def test_reads_first_where_two_names_may_be_one_product():
    lamp, ink = ProductFactory(), ProductFactory()
    request = OrderRequest(lines=[Line(lamp.uuid, 1), Line(ink.sku, 1), Line(lamp.sku, 2)], placed_by="open")

    with CaptureQueriesContext(connection) as queries:
        placed = place_order(request)

    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "BEGIN", "WITH", "COMMIT"]
    assert [(item.product_id, item.quantity) for item in placed.items] == [(lamp.pk, 3), (ink.pk, 1)]


@pytest.mark.parametrize("name", ["pk", "uuid", "sku"])
def test_a_product_may_be_named_in_three_ways(name):
    lamp, ink = ProductFactory(), ProductFactory(sku='{a "quoted", sku\\}')
    names = [getattr(ink, name), getattr(lamp, name), getattr(ink, name)]

    placed = place_order(OrderRequest(lines=[Line(name, 2) for name in names], placed_by="open"))

    assert [(item.product_id, item.product_uuid, item.quantity) for item in placed.items] == [
        (ink.pk, ink.uuid, 4),
        (lamp.pk, lamp.uuid, 2),
    ]


REQUESTS = {
    "fine": ({"lamp": 2, "ink": 1}, None, None),
    "at the total that was expected": ({"lamp": 2, "ink": 1}, "25.00", None),
    "at another total": ({"lamp": 2, "ink": 1}, "25.01", PriceChanged),
    "short": ({"lamp": 11}, None, InsufficientStock),
    "short of one of two": ({"ink": 1, "lamp": 11}, None, InsufficientStock),
    "archived": ({"ink": 1, "old": 1}, None, UnknownProduct),
    "nothing that there is": ({"old": 1}, None, UnknownProduct),
    "too many units": ({"gold": MAX_QUANTITY + 1}, None, OrderTooLarge),
    "of too high a total": ({"gold": 200_000}, None, OrderTooLarge),
}


@pytest.mark.parametrize(("units", "expected", "refusal"), REQUESTS.values(), ids=REQUESTS)
def test_the_statement_places_what_a_quote_says_and_nothing_else(units, expected, refusal):
    products = {
        "lamp": ProductFactory(price=Decimal("10.00")),
        "ink": ProductFactory(price=Decimal("5.00")),
        "old": ProductFactory(is_active=False),
        "gold": ProductFactory(price=MAX_PRICE, stock=2 * MAX_QUANTITY),
    }
    request = OrderRequest(
        lines=[Line(products[name].sku, quantity) for name, quantity in units.items()],
        placed_by="open",
        expected_total=expected and Decimal(expected),
    )

    if refusal:
        for asked in (quote_order, place_order):
            with pytest.raises(refusal):
                asked(request)
        assert not Order.objects.exists()
    else:
        quote, placed = quote_order(request), place_order(request)
        assert (placed.items, placed.order.total_price) == (quote.items, quote.total_price)


def test_locks_stock_in_the_order_of_its_ids():
    lamp, ink = ProductFactory(), ProductFactory()

    with CaptureQueriesContext(connection) as queries:
        place({ink: 1, lamp: 1})

    [sent] = [query["sql"] for query in queries if THEN in query["sql"]]
    assert sent.split(THEN)[1].endswith(
        'ORDER BY "catalog_stock"."product_id" ASC FOR NO KEY UPDATE OF "catalog_stock"'
    )


def test_what_is_plainly_short_is_refused_while_another_holds_its_stock():
    lamp, rug = ProductFactory(), ProductFactory(stock=0)

    with transaction.atomic():
        Stock.objects.select_for_update().get(pk=rug.pk)
        thread, outcomes = in_thread(lambda: place({lamp: 1, rug: 1}))
        thread.join(timeout=1)
        assert [type(outcome) for outcome in outcomes] == [InsufficientStock]


def test_an_order_as_it_was_placed_is_the_order_as_it_is_read():
    lamp, ink = ProductFactory(name='"Lamp", {new} \\ 灯'), ProductFactory(sku="INK,'1'")
    options = {"ship_to": ADDRESS, "reference": "PO-1", "metadata": {"a": 'b"\\'}, "key": "k-1", "fingerprint": "f"}
    customer = {"email": "ada@example.com", "name": "Ada"}

    fresh = place({lamp: 3, ink: 1}, customer=customer, hold=timedelta(hours=1), **options).order

    read = Order.objects.with_lines().get()
    fields = [field.attname for field in Order._meta.concrete_fields]
    assert {name: getattr(fresh, name) for name in fields} == {name: getattr(read, name) for name in fields}
    assert [item._asdict() for item in fresh.lines] == [
        {name: getattr(item, name) for name in PricedItem._fields} for item in read.lines
    ]
