"""Schemathesis calls every operation of /openapi.json, with what it allows and what it forbids, and follows links."""

import os
import subprocess

from django.core.management import call_command

from orders.models import OrderEvent
from tests.environment import ROOT
from tests.factories import ProductFactory


def test_no_answer_is_a_fault_or_other_than_the_document_says(integrator, tmp_path):
    ProductFactory(sku="LAMP-BRASS", price="19.99", stock=1_000_000)  # that of the examples

    ran = subprocess.run(
        [
            *(
                ROOT / ".venv-live/bin/schemathesis",
                "--config-file",
                ROOT / "tests/live/schemathesis.toml",
                "--no-color",
            ),
            *(
                "run",
                f"{integrator.shop.address}/openapi.json",
                "--header",
                f"Authorization: Bearer {integrator.token}",
            ),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    done = set(OrderEvent.objects.values_list("kind", flat=True))
    assert done >= {"placed", "cancelled"}, ran.stdout
    call_command("check_books")
