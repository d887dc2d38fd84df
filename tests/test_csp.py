"""What pages may load: nothing from elsewhere but pictures of products, and no script that is not ours."""

import re

import pytest


def policy_of(answer) -> dict[str, set[str]]:
    parts = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {name: set(sources) for name, *sources in parts}


@pytest.mark.parametrize("page", ["/", "/problems/insufficient_stock", "/docs", "/redoc", "/admin/login/", "/admin/"])
def test_every_page_is_bound(staff, page):
    answer = staff.get(page, headers={"accept": "text/html"})
    policy = policy_of(answer)

    assert "Content-Security-Policy-Report-Only" not in answer
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == {"'none'"}
    assert policy["form-action"] == {"'self'"}
    assert "'unsafe-inline'" not in policy.get("script-src", set())


def test_scripts_are_evaluated_in_the_back_office_alone(staff):
    assert policy_of(staff.get("/admin/"))["script-src"] == {"'self'", "'unsafe-eval'"}
    assert "'unsafe-eval'" not in policy_of(staff.get("/docs"))["script-src"]
    assert policy_of(staff.get("/", headers={"accept": "text/html"}))["default-src"] == {"'none'"}


@pytest.mark.parametrize(("page", "directive"), [("/", "style-src"), ("/docs", "script-src"), ("/redoc", "script-src")])
def test_what_stands_in_a_page_is_allowed_once(api, page, directive):
    answer = api.get(page, headers={"accept": "text/html"})

    [nonce] = set(re.findall('nonce="([^"]+)"', answer.content.decode()))
    assert f"'nonce-{nonce}'" in policy_of(answer)[directive]
    assert nonce not in api.get(page, headers={"accept": "text/html"}).content.decode()


def test_programs_get_no_policy(api):
    assert "Content-Security-Policy" not in api.get("/product/all_products")
