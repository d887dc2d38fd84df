"""Which way imports may point. docs/design.md draws it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WEB = ("rest_framework", "drf_spectacular", "django.http", "django.shortcuts", "django.contrib.admin")
ENTRANCES = ("views", "serializers", "admin", "forms", "management")


def modules(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts and path.name != "localdb.py"
    ]


def imports(path: Path) -> set[str]:
    """Every module and every name in a module that this file imports, dotted."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def starts_with(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def offences(paths: list[Path], forbidden: tuple[str, ...], *, except_for: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in sorted(imports(path))
        if starts_with(name, forbidden) and not starts_with(name, except_for)
    ]


def core_of(app: str) -> list[Path]:
    return [
        path for path in modules(app) if path.stem in ("models", "errors") or {"models", "services"} & set(path.parts)
    ]


def test_the_catalogue_does_not_know_orders():
    assert offences(modules("catalog"), ("orders",)) == []


def test_the_frame_knows_no_app_but_in_its_url_map():
    frame = [path for path in modules("ecommerce") if path != ROOT / "ecommerce/urls.py"]

    assert offences(frame, ("catalog", "orders")) == []


def test_domain_errors_import_nothing_of_ours_nor_of_django():
    assert (
        offences([ROOT / "ecommerce/errors.py"], ("django", "rest_framework", "ecommerce", "catalog", "orders")) == []
    )


@pytest.mark.parametrize("app", ["catalog", "orders"])
def test_the_core_knows_nothing_of_the_web(app):
    assert len(core_of(app)) >= 4
    entrances = tuple(f"{app}.{entrance}" for entrance in ENTRANCES)

    assert offences(core_of(app), (*WEB, "ecommerce.api", *entrances)) == []


def test_orders_write_no_row_of_the_catalogue():
    """Between apps one calls a service or reads a model."""
    written = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules("orders")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith(("Product.objects.", "Stock.objects.", "StockMovement.objects."))
        and ast.unparse(node.func).rpartition(".")[2]
        in ("create", "update", "delete", "bulk_create", "bulk_update", "save")
    ]

    assert written == []


def test_few_places_lock_rows():
    """Stock and groups of products are each locked by one named queryset, an order by its moves and by the sweep of
    holds; and a person while a second factor is set up."""
    lockers = {
        str(path.relative_to(ROOT))
        for path in modules("ecommerce", "catalog", "orders")
        if "select_for_update" in path.read_text()
    }

    assert lockers - {"ecommerce/staff/second_factor.py"} == {
        "catalog/models/products.py",
        "catalog/models/stock.py",
        "orders/services/fulfilling.py",
        "orders/services/holding.py",
    }


def test_nothing_catches_every_exception():
    caught = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules("ecommerce", "catalog", "orders")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "Exception")
    ]

    assert caught == []


def test_views_of_the_api_leave_errors_to_the_one_handler():
    for app in ("catalog", "orders"):
        for path in modules(f"{app}/views"):
            assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Try)], path
