"""The only code that writes products, stock and the ledger.

These are steps: they run inside the caller's transaction, or in one of their own where there is none.
"""

from catalog.services.importing import (
    Move,
    Stamp,
    import_moves,
    import_moves_of_table,
    import_products,
    number_onwards,
    stamp,
)
from catalog.services.imports import apply_import, discard_preview, save_preview
from catalog.services.moving import StockMove, adjust_stock, count_stock, move_stock, receive_stock
from catalog.services.products import (
    ProductEdit,
    create_product,
    delete_product,
    remove_product,
    update_product,
    update_products,
)
from catalog.services.stock import (
    MOVE_STOCK,
    Cause,
    release_stock,
    return_stock,
    take_stock,
    values_of,
    words_to_lock,
)
from catalog.services.undoing import undo_import

__all__ = [
    "MOVE_STOCK",
    "Cause",
    "Move",
    "ProductEdit",
    "Stamp",
    "StockMove",
    "adjust_stock",
    "apply_import",
    "count_stock",
    "create_product",
    "delete_product",
    "discard_preview",
    "import_moves",
    "import_moves_of_table",
    "import_products",
    "move_stock",
    "number_onwards",
    "receive_stock",
    "release_stock",
    "remove_product",
    "return_stock",
    "save_preview",
    "stamp",
    "take_stock",
    "undo_import",
    "update_product",
    "update_products",
    "values_of",
    "words_to_lock",
]
