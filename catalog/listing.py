from typing import Any

from ecommerce import prepared

# The place of the first row is found in the index of what is on sale: what is skipped costs no look at it or its stock.
# Told of it for both tables, PostgreSQL walks through them side by side, and looks for no row of stock by itself.
CLASSIC_PAGE = """
    WITH first AS (SELECT id FROM catalog_product WHERE is_active ORDER BY id LIMIT 1 OFFSET %(skip)s)
    SELECT product.id, name, description, price::float8, available
      FROM catalog_product AS product
      JOIN catalog_stock AS stock ON stock.product_id = product.id
     WHERE is_active AND product.id >= (TABLE first) AND stock.product_id >= (TABLE first)
     ORDER BY product.id LIMIT %(limit)s
"""


def classic_products(*, skip: int, limit: int) -> list[dict[str, Any]]:
    """Products on sale in the order of their ids, as the classic API shows them."""
    rows = prepared.fetch(CLASSIC_PAGE, {"skip": prepared.number(skip), "limit": prepared.number(limit)})
    return [
        {"id": pk, "name": name, "description": description, "price": price, "stock": stock}
        for pk, name, description, price, stock in rows
    ]
