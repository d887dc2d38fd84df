"""The server as it runs in production, started by a test: `serve` in conftest.py."""

import os
import re
import socket
import sys
import time
from random import SystemRandom
from urllib.parse import urlsplit

import urllib3
from django.db import connection

from tests.environment import clean_environment

GUNICORN = [sys.executable, "-m", "gunicorn", "--no-control-socket", "-c", "deploy/gunicorn.py", "ecommerce.wsgi"]
PUBLIC = {"Host": "shop.example.com", "X-Forwarded-Proto": "https"}


def free_port() -> int:
    """One at random, since others look for one at the same time; below those that the system gives to outgoing ones."""
    for port in SystemRandom().sample(range(10_000, 32_000), 100):  # pytest-randomly gives all workers one seed
        with socket.socket() as candidate:
            if candidate.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port is free")


def database_url() -> str:
    """That of the test's own database, which is not the one that DATABASE_URL names."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


class Shop:
    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.http = urllib3.PoolManager(maxsize=32)

    def get(self, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
        return self.http.request("GET", self.address + path, headers={**PUBLIC, **headers}, redirect=False)

    def post(self, path: str, body: object, **headers: str) -> urllib3.BaseHTTPResponse:
        return self.http.request("POST", self.address + path, json=body, headers={**PUBLIC, **headers}, retries=False)

    def order(self, product_id: int, **headers: str) -> urllib3.BaseHTTPResponse:
        return self.post("/order/create_order", {"products": [{"product_id": product_id, "quantity": 1}]}, **headers)

    def log_in(self, **headers: str) -> urllib3.BaseHTTPResponse:
        page = self.get("/admin/login/", **headers)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.data.decode())[1]
        return self.http.request(
            "POST",
            f"{self.address}/admin/login/?next=/admin/",
            fields={"username": "mia", "password": "a long password", "csrfmiddlewaretoken": token},
            encode_multipart=False,
            headers={**PUBLIC, "Cookie": page.headers["Set-Cookie"].split(";")[0], **headers},
            redirect=False,
        )


def server_environment(**variables: str) -> dict[str, str]:
    """Safe variables, and these on top of them."""
    return {
        **clean_environment(),
        "DATABASE_URL": database_url(),
        "SECRET_KEY": "a7Kq-strong-secret-of-forty-characters-or-more",
        "ALLOWED_HOSTS": "shop.example.com",
        "API_OPEN": "classic",
        "BIND_ADDRESS": "127.0.0.1",
        **variables,
    }


def wait_for(shop: Shop) -> Shop:
    for _ in range(100):
        try:
            assert shop.http.request("GET", f"{shop.address}/health", retries=False).status == 200
            return shop
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")
