"""The first reading of the source, which writes nothing: what it holds, and what must be repaired or refused."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from orders.moving_in.repairs import Findings, OldOrder, OldProduct, repaired_order, repaired_product
from orders.moving_in.source import ItemRow, Source


class Refused(Exception):
    """Why the source cannot be taken: a line for each fault, which begins with its row."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(f"the source has {len(faults):,} fault{'s' if len(faults) != 1 else ''}")
        self.faults = faults


@dataclass
class Survey:
    """`stock` by product id is what is left of it; `taken` what its orders keep; `most_taken` what they had at once."""

    findings: Findings = field(default_factory=Findings)
    stock: dict[int, int] = field(default_factory=dict)
    taken: Counter[int] = field(default_factory=Counter)
    most_taken: Counter[int] = field(default_factory=Counter)
    orders: int = 0
    lines: int = 0

    def opening(self, product_id: int) -> int:
        """So many units that its orders never found it empty."""
        return max(self.stock[product_id] + self.taken[product_id], self.most_taken[product_id])

    def surplus(self, product_id: int) -> int:
        """Units that came back with a cancelled order, and that the source's stock does not know of."""
        return self.opening(product_id) - self.taken[product_id] - self.stock[product_id]

    @property
    def surpluses(self) -> dict[int, int]:
        return {product_id: units for product_id in self.stock if (units := self.surplus(product_id))}

    def add(self, order: OldOrder) -> None:
        self.orders += 1
        self.lines += len(order.lines)
        for line in order.lines:
            before = self.taken[line.product_id]
            self.most_taken[line.product_id] = max(self.most_taken[line.product_id], before + line.quantity)
            self.taken[line.product_id] = before if order.is_cancelled else before + line.quantity


def surveyed(source: Source) -> Survey:
    """Raises Refused with every row that cannot be taken."""
    if unusable := list(source.unusable_ids()):
        raise Refused(unusable)
    survey = Survey()
    for row in source.products():
        survey.stock[row.id] = repaired_product(row, findings=survey.findings).stock
    for order_id, rows in source.orders():
        if order_id is None:
            refuse_orphans(rows, findings=survey.findings)
        else:
            survey.add(repaired_order(order_id, rows, products=survey.stock, findings=survey.findings))
    if survey.findings.refusals:
        raise Refused(survey.findings.refusals)
    list_surpluses(survey)
    return survey


def refuse_orphans(rows: Iterable[ItemRow], *, findings: Findings) -> None:
    for row in rows:
        findings.refuse(f"order_items {row.id}", f"order {row.wanted_order_id} does not exist")


def list_surpluses(survey: Survey) -> None:
    for product_id, units in survey.surpluses.items():
        old, new = survey.stock[product_id] + units, survey.stock[product_id]
        survey.findings.differ(f"products {product_id}", "ledger, after its cancelled orders,", old=old, new=new)


def old_products(source: Source) -> Iterator[OldProduct]:
    """After a survey: every product as it is taken."""
    for row in source.products():
        yield repaired_product(row, findings=Findings())


def old_orders(source: Source, survey: Survey) -> Iterator[OldOrder]:
    """After a survey: every order as it is taken."""
    for order_id, rows in source.orders():
        if order_id is not None:
            yield repaired_order(order_id, rows, products=survey.stock, findings=Findings())
