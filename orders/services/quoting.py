from catalog.errors import InsufficientStock
from orders.services.holding import over_but_held
from orders.services.pricing import read_basket
from orders.services.requests import OrderRequest, Quote


def quote_order(request: OrderRequest) -> Quote:
    """What `place_order` would make of this request now, without a lock and without writing.

    Raises what it would raise. Units that wait for a sweep count as available, since an order would free them.
    """
    try:
        basket, read_at = read_basket(request)
    except InsufficientStock as refusal:
        freed = over_but_held([shortage.product.pk for shortage in refusal.shortages])
        basket, read_at = read_basket(request, also_available=freed)
    return Quote(items=basket.items, total_price=basket.total, as_of=read_at)
