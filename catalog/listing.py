from typing import Any

from ecommerce import prepared

# The place of the first row is found in the index of what is on sale: what is skipped costs no look at it or its stock.
CLASSIC_PAGE = """
    SELECT id, name, description, price::float8,
           (SELECT available FROM catalog_stock WHERE product_id = product.id)
      FROM catalog_product AS product
     WHERE is_active AND id >= (SELECT id FROM catalog_product WHERE is_active ORDER BY id LIMIT 1 OFFSET %(skip)s)
     ORDER BY id LIMIT %(limit)s
"""


def classic_products(*, skip: int, limit: int) -> list[dict[str, Any]]:
    """Products on sale in the order of their ids, as the classic API shows them."""
    rows = prepared.fetch(CLASSIC_PAGE, {"skip": prepared.number(skip), "limit": prepared.number(limit)})
    return [
        {"id": pk, "name": name, "description": description, "price": price, "stock": stock}
        for pk, name, description, price, stock in rows
    ]
