"""Clients that generators make of /openapi.json sell something: order.py and order.ts are what their users write."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

from catalog.models import Product
from orders.models import Order
from tests.environment import ROOT
from tests.factories import available

HERE = Path(__file__).parent
TOOLS = ROOT / ".venv-live/bin"
NODE_MODULES = HERE / "node_modules"


def run(*command: str | Path, folder: Path) -> str:
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"  # the generator formats with ruff
    ran = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def generate_python_client(document: Path, folder: Path) -> None:
    generator = [TOOLS / "openapi-python-client", "generate", "--fail-on-warning", "--meta", "none"]
    run(*generator, "--path", document, "--output-path", folder / "shop_client", folder=folder)


def generate_typescript_client(document: Path, folder: Path) -> None:
    (folder / "node_modules").symlink_to(NODE_MODULES)
    for name in ("package.json", "tsconfig.json", "order.ts"):
        shutil.copy(HERE / name, folder)
    run("node", NODE_MODULES / ".bin/openapi-typescript", document, "--output", "shop.d.ts", folder=folder)
    run("node", NODE_MODULES / ".bin/tsc", folder=folder)


def assert_sold(told: str, *, sku: str) -> None:
    """Five units: an order of two, which was retried; ten more refused; and the three that the refusal offered."""
    told = json.loads(told)
    first, corrected = Order.objects.order_by("pk")
    assert told == {
        "placed": str(first.uuid),
        "replayed": str(first.uuid),
        "refused": {"code": "insufficient_stock", "status": 409, "wanted": 10, "available": 3},
        "corrected": str(corrected.uuid),
        "found": [str(corrected.uuid), str(first.uuid)],
    }
    assert [str(order.total_price) for order in (first, corrected)] == ["39.98", "59.97"]
    assert available(Product.objects.get(sku=sku)) == 0
    call_command("check_books")


def test_a_client_made_by_openapi_python_client(integrator, tmp_path):
    generate_python_client(integrator.document, tmp_path)
    shutil.copy(HERE / "order.py", tmp_path)

    told = run(
        *(TOOLS / "python", "order.py", integrator.shop.address, integrator.client_id, integrator.secret),
        folder=tmp_path,
    )

    assert_sold(told, sku="PYTHON-LAMP")


@pytest.mark.skipif(not NODE_MODULES.exists(), reason="npm is not on this machine")
def test_a_client_made_by_openapi_typescript(integrator, tmp_path):
    generate_typescript_client(integrator.document, tmp_path)

    told = run("node", "order.js", integrator.shop.address, integrator.client_id, integrator.secret, folder=tmp_path)

    assert_sold(told, sku="TYPESCRIPT-LAMP")
