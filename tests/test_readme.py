"""What the README shows works as printed."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from catalog.models import Product
from orders.models import Order
from tests.environment import ROOT
from tests.factories import available
from tests.test_clients import new_client

SCOPES = ("catalog:read", "catalog:write", "orders:read", "orders:write")
RUNNERS = {"sh": ["bash", "-eu", "-c"], "python": [sys.executable, "-c"], "js": ["node", "--input-type=module", "-e"]}
SKUS = {"sh": "LANTERN", "python": "PY-LAMP", "js": "JS-LAMP"}


def printed(language: str) -> str:
    """The block of the walk that calls the shop."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    [block] = [block for block in blocks if "/o/token/" in block]
    return block


@pytest.mark.parametrize("language", RUNNERS)
def test_the_walk_through_api_v1(serve, language, tmp_path):
    command = RUNNERS[language]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not on this machine")
    shop = serve(ALLOWED_HOSTS="127.0.0.1", API_OPEN="none")
    walk = printed(language).replace("http://127.0.0.1:8000", shop.address)
    environment = os.environ | {"CREDENTIALS": ":".join(new_client(*SCOPES))}

    ran = subprocess.run([*command, walk], env=environment, capture_output=True, text=True, timeout=60)

    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr + (tmp_path / "output").read_text()
    assert '"code":' not in ran.stdout
    product = Product.objects.get(sku=SKUS[language])
    assert Counter(Order.objects.values_list("status", flat=True)) == {"completed": 1, "cancelled": 1}
    assert Order.objects.get(status="completed").shipped_at is not None
    assert available(product) == {"LANTERN": 8}.get(product.sku, 3)
