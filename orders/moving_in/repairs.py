"""What becomes of each row: taken as it is, repaired and listed, or refused."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from catalog.models import MAX_PRICE, Product
from orders.models import MAX_QUANTITY, MAX_TOTAL, Order
from orders.moving_in.source import ItemRow, Number, ProductRow

CENT = Decimal("0.01")
STATUSES = {
    "completed": Order.Status.COMPLETED,
    "cancelled": Order.Status.CANCELLED,
    "canceled": Order.Status.CANCELLED,
}
LONGEST_NAME: int = Product._meta.get_field("name").max_length or 0


@dataclass
class Findings:
    """What was found while reading: a line for each repair, and for each row that cannot be taken."""

    differences: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def differ(self, row: str, column: str, *, old: object, new: object) -> None:
        self.differences.append(f"{row}: {column} {'empty' if old is None else old} -> {new}")

    def refuse(self, row: str, why: str) -> None:
        self.refusals.append(f"{row}: {why}")


@dataclass(frozen=True, kw_only=True, slots=True)
class OldProduct:
    id: int
    name: str
    description: str
    price: Decimal
    stock: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OldLine:
    id: int
    product_id: int
    quantity: int
    price: Decimal

    @property
    def subtotal(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True, kw_only=True, slots=True)
class OldOrder:
    id: int
    status: Order.Status
    lines: list[OldLine]

    @property
    def total_price(self) -> Decimal:
        return sum((line.subtotal for line in self.lines), Decimal())

    @property
    def is_cancelled(self) -> bool:
        return self.status == Order.Status.CANCELLED


def repaired_product(row: ProductRow, *, findings: Findings) -> OldProduct:
    """What the refused product returns is of no use but to go on looking."""
    where = f"products {row.id}"
    if row.description is None:
        findings.differ(where, "description", old=None, new='""')
    if row.stock is None or row.stock < 0:
        findings.differ(where, "stock", old=row.stock, new=0)
    return OldProduct(
        id=row.id,
        name=repaired_name(row.name or "", where=where, findings=findings),
        description=row.description or "",
        price=repaired_price(row.price, where=where, column="price", findings=findings),
        stock=max(row.stock or 0, 0),
    )


def repaired_name(name: str, *, where: str, findings: Findings) -> str:
    if not name:
        findings.refuse(where, "name is empty")
    if len(name) > LONGEST_NAME:
        findings.differ(where, "name", old=f"{name!r} ({len(name)} characters)", new=f"its first {LONGEST_NAME}")
    return name[:LONGEST_NAME]


def repaired_price(value: Number | None, *, where: str, column: str, findings: Findings) -> Decimal:
    price = in_cents(value)
    if price is None or not 0 < price <= MAX_PRICE:
        findings.refuse(where, f"{column} {'empty' if value is None else value} is not 0.01 to {MAX_PRICE}")
        return CENT
    if price != Decimal(str(value)):
        findings.differ(where, column, old=value, new=price)
    return price


def in_cents(value: Number | None) -> Decimal | None:
    """What the number reads as, rounded half up; none when it is no amount of money at all."""
    number = Decimal("NaN" if value is None else str(value))
    if not number.is_finite() or abs(number) > MAX_TOTAL + 1:
        return None
    return number.quantize(CENT, ROUND_HALF_UP)


def repaired_order(
    order_id: int, rows: Iterable[ItemRow], *, products: Collection[int], findings: Findings
) -> OldOrder:
    where, rows = f"orders {order_id}", list(rows)
    lines = [repaired_line(row, products=products, findings=findings) for row in rows if row.id is not None]
    order = OldOrder(
        id=order_id,
        status=known_status(rows[0].status, where=where, findings=findings),
        lines=merged(lines, where=where, findings=findings),
    )
    if not lines:
        findings.refuse(where, "has no items")
    elif order.total_price > MAX_TOTAL:
        findings.refuse(where, f"total {order.total_price} is above {MAX_TOTAL}")
    elif in_cents(rows[0].total_price) != order.total_price:
        findings.differ(where, "total_price", old=rows[0].total_price, new=order.total_price)
    return order


def known_status(status: str | None, *, where: str, findings: Findings) -> Order.Status:
    known = STATUSES.get((status or "").strip().lower())
    if known is None:
        findings.refuse(where, f"status {status!r} is neither completed nor cancelled")
    return known or Order.Status.COMPLETED


def repaired_line(row: Any, *, products: Collection[int], findings: Findings) -> OldLine:
    where = f"order_items {row.id} (order {row.order_id})"
    if row.product_id not in products:
        findings.refuse(where, f"product {row.product_id} does not exist")
    if row.quantity is None or not 1 <= row.quantity <= MAX_QUANTITY:
        findings.refuse(where, f"quantity {row.quantity} is not 1 to {MAX_QUANTITY}")
    price = repaired_price(row.price_at_time, where=where, column="price_at_time", findings=findings)
    line = OldLine(id=row.id, product_id=row.product_id or 0, quantity=row.quantity or 0, price=price)
    if in_cents(row.subtotal) != line.subtotal:
        findings.differ(where, "subtotal", old=row.subtotal, new=line.subtotal)
    return line


def merged(lines: Iterable[OldLine], *, where: str, findings: Findings) -> list[OldLine]:
    """A line per product, in the first's place."""
    by_product: dict[int, OldLine] = {}
    for line in lines:
        first = by_product.setdefault(line.product_id, line)
        if first is not line:
            by_product[line.product_id] = together(first, line, where=where, findings=findings)
    return list(by_product.values())


def together(first: OldLine, second: OldLine, *, where: str, findings: Findings) -> OldLine:
    both = replace(first, quantity=first.quantity + second.quantity)
    items = f"items {first.id} and {second.id} of product {first.product_id}"
    if first.price != second.price:
        findings.refuse(where, f"{items} have two prices, {first.price} and {second.price}")
    elif both.quantity > MAX_QUANTITY:
        findings.refuse(where, f"{items} together are more than {MAX_QUANTITY} units")
    else:
        findings.differ(where, f"{items}, units", old=f"{first.quantity} + {second.quantity}", new=both.quantity)
    return both
