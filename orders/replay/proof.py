"""What the answers to a replay must add up to."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from orders.replay.answers import Answer, Basket, Line, Receipt
from orders.replay.baskets import Offer


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Every product of one replay by its id, every answer, and the stock the shop shows afterwards.

    The books balance if nobody else sold, received or counted these products meanwhile.
    """

    offers: Mapping[int, Offer]
    answers: Sequence[Answer]
    stock_now: Mapping[int, int]

    @cached_property
    def placed(self) -> list[tuple[Receipt, Basket]]:
        return [(answer.receipt, answer.basket) for answer in self.answers if answer.receipt]

    @cached_property
    def units_ordered(self) -> Counter[int]:
        units: Counter[int] = Counter()
        for _, basket in self.placed:
            units.update(basket)
        return units

    def discrepancies(self) -> Iterator[str]:
        yield from self._wrong_stock()
        yield from self._repeated_orders()
        for receipt, basket in self.placed:
            yield from self._wrong_receipt(receipt, basket=basket)
        yield from self._groundless_refusals()

    def _wrong_stock(self) -> Iterator[str]:
        for number, offer in self.offers.items():
            ordered, left = self.units_ordered[number], self.stock_now.get(number)
            product = f"product {number} {offer.name}"
            if left is None:
                yield f"{product}: the shop no longer lists its stock"
            elif offer.stock - left != ordered:
                yield f"{product}: {offer.stock - left} units taken, {ordered} units ordered"
            if ordered > offer.stock:
                yield f"{product}: oversold, {ordered} units ordered of {offer.stock}"

    def _repeated_orders(self) -> Iterator[str]:
        for number, times in Counter(receipt.id for receipt, _ in self.placed).items():
            if times > 1:
                yield f"order {number}: given to {times} baskets"

    def _wrong_receipt(self, receipt: Receipt, *, basket: Basket) -> Iterator[str]:
        due = [self._line_due(number, quantity=quantity) for number, quantity in basket.items()]
        total = sum(line.subtotal for line in due)
        for told, line in zip_longest(receipt.lines, due, fillvalue="nothing"):
            if told != line:
                yield f"order {receipt.id}: a line is {told}, due is {line}"
        if receipt.total_price != total:
            yield f"order {receipt.id}: the total is {receipt.total_price}, due is {total}"
        if receipt.status != "completed":
            yield f"order {receipt.id}: the status is {receipt.status}, due is completed"

    def _line_due(self, number: int, *, quantity: int) -> Line:
        offer = self.offers[number]
        return Line(
            product_id=number,
            product_name=offer.name,
            quantity=quantity,
            price_at_time=offer.price,
            subtotal=offer.price * quantity,
        )

    def _groundless_refusals(self) -> Iterator[str]:
        """Stock only falls during a replay: what is there at the end was there when the basket was refused."""
        for answer in self.answers:
            if answer.is_refusal and all(self.stock_now.get(n, 0) >= wanted for n, wanted in answer.basket.items()):
                yield f"refused though everything is in stock: {answer.detail}"
