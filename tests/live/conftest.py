from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.serving import Shop
from tests.test_clients import new_client

SCOPES = ("catalog:read", "catalog:write", "orders:read", "orders:write")


@dataclass(frozen=True)
class Integrator:
    """Who writes a program for the shop: knows its address, its document and the credentials of one client."""

    shop: Shop
    document: Path
    client_id: str
    secret: str

    @property
    def token(self) -> str:
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.secret}
        answer = self.shop.http.request("POST", f"{self.shop.address}/o/token/", fields=form, encode_multipart=False)
        return answer.json()["access_token"]


@pytest.fixture
def integrator(serve, tmp_path) -> Integrator:
    shop = serve(ALLOWED_HOSTS="127.0.0.1", API_OPEN="none", RATE_LIMIT="0", ADDRESS_RATE_LIMIT="0")
    document = tmp_path / "openapi.json"
    document.write_bytes(shop.http.request("GET", f"{shop.address}/openapi.json").data)
    client_id, secret = new_client(*SCOPES)
    return Integrator(shop, document, client_id, secret)
