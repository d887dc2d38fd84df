"""The entrance: everything that the source holds moves in, or nothing does."""

from dataclasses import dataclass

from django.db import connection, transaction

from catalog.models import Product
from catalog.services import number_onwards, stamp
from ecommerce.database import take_time
from orders.books import Fault, find_faults
from orders.models import Order, OrderItem
from orders.moving_in.comparison import differing_rows
from orders.moving_in.source import Source
from orders.moving_in.survey import Survey, surveyed
from orders.moving_in.writing import write_everything

# Readers go on; whoever writes waits, so that the shop stays as empty as it was found.
CLOSE_THE_DOORS = "LOCK TABLE catalog_product, orders_order IN SHARE ROW EXCLUSIVE MODE"
# Without statistics of the new rows, the proof would be planned for empty tables.
TAKE_STATISTICS = """
    ANALYZE catalog_product, catalog_stock, catalog_stockmovement, orders_order, orders_orderitem, orders_orderevent
"""


class ShopNotEmpty(Exception):
    """Its message names the first row of the source that the shop does not have."""


class BooksDoNotBalance(Exception):
    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults):,} row{'s break' if len(faults) != 1 else ' breaks'} an invariant")
        self.faults = faults


@dataclass(frozen=True, kw_only=True)
class Moved:
    survey: Survey
    was_there: bool


def move_in(source: Source, *, dry_run: bool = False) -> Moved:
    """Import the source into the empty shop. Where all of it is already, nothing changes.

    With `dry_run`, everything is done and taken back. Raises SourceError, Refused, ShopNotEmpty, BooksDoNotBalance.
    """
    with transaction.atomic(durable=True):
        take_time()
        close_the_doors()
        survey = surveyed(source)
        if Product.objects.exists() or Order.objects.exists():
            refuse_another_shop(source, survey)
            return Moved(survey=survey, was_there=True)
        write_everything(source, survey, now=stamp())
        prove()
        if dry_run:
            transaction.set_rollback(True)
        else:
            number_onwards(Product, Order, OrderItem)
    return Moved(survey=survey, was_there=False)


def close_the_doors() -> None:
    with connection.cursor() as cursor:
        cursor.execute(CLOSE_THE_DOORS)


def refuse_another_shop(source: Source, survey: Survey) -> None:
    if difference := next(differing_rows(source, survey), None):
        raise ShopNotEmpty(difference)


def prove() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(TAKE_STATISTICS)
    if faults := list(find_faults()):
        raise BooksDoNotBalance(faults)
