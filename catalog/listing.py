from typing import Any

from ecommerce import prepared

NAMES = ("id", "name", "description", "price", "stock")
# The page is cut before its stock is looked up: joined first, every product that is skipped would cost a look too.
CLASSIC_PAGE = """
    SELECT page.id, page.name, page.description, page.price::float8,
           (SELECT available FROM catalog_stock WHERE product_id = page.id)
      FROM (SELECT id, name, description, price FROM catalog_product WHERE is_active ORDER BY id LIMIT %s OFFSET %s)
        AS page
     ORDER BY page.id
"""


def classic_products(*, skip: int, limit: int) -> list[dict[str, Any]]:
    """Products on sale in the order of their ids, as the classic API shows them."""
    rows = prepared.fetch(CLASSIC_PAGE, [prepared.number(limit), prepared.number(skip)])
    return [dict(zip(NAMES, row, strict=True)) for row in rows]
