from typing import Any

from ecommerce import prepared

# The page is cut from the index of what is on sale: whatever is skipped costs no look at its row, nor at its stock.
CLASSIC_PAGE = """
    SELECT id, name, description, price::float8,
           (SELECT available FROM catalog_stock WHERE product_id = product.id)
      FROM catalog_product AS product
     WHERE id = ANY (ARRAY(SELECT id FROM catalog_product WHERE is_active ORDER BY id LIMIT %s OFFSET %s))
     ORDER BY id
"""


def classic_products(*, skip: int, limit: int) -> list[dict[str, Any]]:
    """Products on sale in the order of their ids, as the classic API shows them."""
    rows = prepared.fetch(CLASSIC_PAGE, [prepared.number(limit), prepared.number(skip)])
    return [
        {"id": pk, "name": name, "description": description, "price": price, "stock": stock}
        for pk, name, description, price, stock in rows
    ]
