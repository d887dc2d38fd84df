from decimal import Decimal
from typing import Any

from catalog.errors import Shortage


def corrected_body(
    body: dict[str, Any], lines: list[dict[str, Any]], shortages: list[Shortage]
) -> dict[str, Any] | None:
    """The order as it was sent, with what there is of each short product: it would pass. None if that were nothing."""
    short = {name: shortage for shortage in shortages for name in shortage.product.references}
    items, given = [], set()
    for sent, line in zip(body["items"], lines, strict=True):
        shortage = short.get(line["product"])
        if shortage is None:
            items.append(sent)
        elif shortage.available and shortage.product.pk not in given:
            items.append({"product": sent["product"], "quantity": shortage.available})
            given.add(shortage.product.pk)
    return body | {"items": items} | corrected_total(body, shortages) if items else None


def corrected_total(body: dict[str, Any], shortages: list[Shortage]) -> dict[str, str]:
    """What was expected, less the price of what is not there."""
    if "expected_total" not in body:
        return {}
    missing = sum((short.wanted - short.available) * short.product.price for short in shortages)
    return {"expected_total": str(Decimal(str(body["expected_total"])) - missing)}
