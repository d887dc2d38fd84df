"""Files on their way into the shop, through the same doors that staff and the command use."""

import io
from typing import Any

from openpyxl import Workbook

from catalog.importing.previewing import preview
from catalog.models import Product, ProductImport
from catalog.services import apply_import

BY = "command:test"
SHOPIFY = (
    "Handle,Title,Body (HTML),Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,"
    "Variant Inventory Qty,Variant Price,Image Src,Variant Image\r\n"
    'shirt,Shirt,"<p>Soft, ""really""</p>",true,Size,S,Colour,Blue,3,20.00,https://example.com/shirt.jpg,\r\n'
    "shirt,,,,,M,,Blue,-2,21.50,,https://example.com/m.jpg\r\n"
    "shirt,,,,,,,,,,https://example.com/back.jpg,\r\n"
    "mug,Mug,,false,Title,Default Title,,,7,9.99,,\r\n"
)
RENAMED_SHOPIFY = (
    "Title,URL handle,Description,Vendor,Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,"
    "Option1 Linked To,Price,Compare-at price,Inventory quantity,Product image URL,Image position,Variant image URL\r\n"
    "Kettle,kettle,<p>Whistles</p>,Ours,TRUE,Active,KET-1,4006381333931,Litres,1.5,,35.00,40.00,-1,https://example.com/k.jpg,1,\r\n"
    ",kettle,,,,,KET-2,,,2,,39.50,,4,https://example.com/side.jpg,2,https://example.com/two.jpg\r\n"
    ",kettle,,,,,,,,,,,,,https://example.com/back.jpg,3,\r\n"
    "Tea towel,towel,,Ours,TRUE,Draft,,,Title,Default Title,,8.00,,12,,,\r\n"
)


def previewed(text: str | bytes, *, name: str = "products.csv") -> ProductImport:
    return preview(name, text.encode() if isinstance(text, str) else text, done_by=BY)


def imported(text: str | bytes, **options: Any) -> ProductImport:
    return apply_import(previewed(text).pk, done_by=BY, **options)


def rows(product_import: ProductImport) -> list[tuple[int, str, str]]:
    return list(product_import.rows.order_by("line").values_list("line", "kind", "message"))


def workbook(*lines: list[Any]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for line in lines:
        book.active.append(line)
    book.save(file)
    return file.getvalue()


def fresh(product: Product) -> Product:
    return Product.objects.select_related("group").get(pk=product.pk)
