"""The first page of the back office. Of what the person may not see, nothing is asked."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.formats import date_format, number_format

from orders.dashboard import attention
from orders.dashboard.sales import Sales, sales_by_day, top_products, total
from orders.services.counting import today

PERIODS = {1: "Today", 7: "7 days", 30: "30 days", 90: "90 days"}
USUAL = 30
WHOLE_FROM = 10_000  # from here on cents only take room


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """For Unfold's DASHBOARD_CALLBACK."""
    may = request.user.has_perm
    days = chosen(request)
    context["periods"] = [{"days": n, "title": title, "active": n == days} for n, title in PERIODS.items()]
    if may("orders.view_order"):
        context |= sales_part(days) | {
            "to_ship": attention.orders_to_ship(),
            "holds": attention.ending_holds(),
            "duplicates": attention.possible_duplicates(),
        }
    if may("catalog.view_product"):
        context["low"] = list(attention.low_stock())
    if may("orders.view_bookscheck"):
        context |= {"check": attention.last_check(), "open_check": attention.open_check()}
    return context


def chosen(request: HttpRequest) -> int:
    """What is no period shows the usual one."""
    return next((n for n in PERIODS if str(n) == request.GET.get("days")), USUAL)


def sales_part(days: int) -> dict[str, Any]:
    by_day = sales_by_day(days)
    now = today()
    this = [now - timedelta(days=n) for n in reversed(range(days))]
    before = [day - timedelta(days=days) for day in this]
    sales, earlier = (total(by_day[day] for day in row if day in by_day) for row in (this, before))
    return {
        "tiles": tiles(sales, earlier),
        "is_empty": not any((sales.orders, sales.pending, sales.cancelled, *(day.orders for day in by_day.values()))),
        "by_status": statuses(sales),
        "top": top_products(days),
        "revenue_chart": chart(this, before, by_day, "revenue") if days > 1 else "",
        "orders_chart": chart(this, before, by_day, "orders") if days > 1 else "",
    }


def tiles(sales: Sales, before: Sales) -> list[dict[str, Any]]:
    return [
        tile("Revenue", sales.revenue, before.revenue, unit=settings.SHOP_CURRENCY),
        tile("Orders", sales.orders, before.orders),
        tile("Average order", sales.average, before.average, unit=settings.SHOP_CURRENCY),
        tile("Units", sales.units, before.units),
    ]


def tile(title: str, value: int | Decimal, before: int | Decimal, *, unit: str = "") -> dict[str, Any]:
    change = round((value - before) / before * 100) if before else None
    places = 2 if isinstance(value, Decimal) and value < WHOLE_FROM else 0
    return {
        "title": title,
        "value": number_format(value, places, force_grouping=True),
        "unit": unit,
        "before": number_format(before, places, force_grouping=True),
        "change": "" if change is None else f"{change:+} %",
        "is_up": change is None or change >= 0,
    }


def statuses(sales: Sales) -> list[dict[str, Any]]:
    counts = {"completed": sales.orders, "pending": sales.pending, "cancelled": sales.cancelled}
    whole = sum(counts.values()) or 1
    return [
        {"status": status, "count": number_format(n, force_grouping=True), "share": round(100 * n / whole)}
        for status, n in counts.items()
    ]


def chart(this: list[date], before: list[date], by_day: dict[date, Sales], name: str) -> str:
    """For Chart.js; the period before is the paler line."""

    def line(label: str, row: list[date], colour: str) -> dict[str, Any]:
        values = [float(getattr(by_day.get(day, Sales()), name)) for day in row]
        return {"label": label, "data": values, "borderColor": colour, "backgroundColor": colour, "type": "line"}

    now = {"label": "This period", "data": [], "backgroundColor": "var(--color-primary-600)", "borderRadius": 3}
    now["data"] = [float(getattr(by_day.get(day, Sales()), name)) for day in this]
    earlier = line("The period before", before, "var(--color-base-400)") | {"pointRadius": 0, "borderWidth": 1}
    labels = [date_format(day, "j M") for day in this]
    return json.dumps({"labels": labels, "datasets": [now, earlier]})
