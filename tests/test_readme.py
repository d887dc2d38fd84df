"""What the README shows works as printed."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest
from django.contrib.auth.hashers import check_password

from catalog.models import Product
from ecommerce.models import Client
from orders.models import Order
from tests.environment import ROOT
from tests.factories import ProductFactory, available
from tests.serving import database_url
from tests.test_clients import new_client

SCOPES = ("catalog:read", "catalog:write", "orders:read", "orders:write")
RUNNERS = {"sh": ["bash", "-eu", "-c"], "python": [sys.executable, "-c"], "js": ["node", "--input-type=module", "-e"]}
SKUS = {"sh": "LANTERN", "python": "PY-LAMP", "js": "JS-LAMP"}


def printed(language: str, *, saying: str = "/o/token/") -> str:
    """The block that says so; of itself that of the walk, which calls the shop."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    [block] = [block for block in blocks if saying in block]
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


def test_the_client_of_the_walk_is_made(transactional_db):
    block = printed("sh", saying="create_client") + 'printf %s "$CREDENTIALS"'

    ran = subprocess.run(
        [*RUNNERS["sh"], block],
        env=os.environ | {"DATABASE_URL": database_url()},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    client_id, secret = ran.stdout.split(":")
    client = Client.objects.get()
    assert (client.client_id, client.name, client.scopes.split()) == (client_id, "webshop", list(SCOPES))
    assert check_password(secret, client.client_secret)


def test_the_classic_calls(serve):
    lamp, ink = ProductFactory(stock=5), ProductFactory(stock=5)
    shop = serve(ALLOWED_HOSTS="127.0.0.1")
    calls = printed("sh", saying="/order/create_order").replace("http://127.0.0.1:8000", shop.address)
    ids = {"1": lamp.pk, "2": ink.pk}
    calls = re.sub(r'"product_id": (\d)', lambda found: f'"product_id": {ids[found[1]]}', calls)

    ran = subprocess.run([*RUNNERS["sh"], calls], capture_output=True, text=True, timeout=60)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert '"status":"completed"' in ran.stdout
    assert Product.objects.filter(name="Lantern", price="19.99", stock__available=10).exists()
    assert (available(lamp), available(ink), Order.objects.get().idempotency_key) == (3, 4, "my-first-order")
