"""A cursor is one of ours or it is refused, and every row can be one."""

import pytest

from tests.factories import ProductFactory
from tests.test_lists import cursor_of, walk
from tests.v1 import ORDERS, PRODUCTS

TIMES = [
    "2026-01-01T00:00:00+23:59",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "2026-01-01 00:00:00+00:00",
    "2026-01-01T00:00:00Z",
    "٢٠٢٦-01-01T00:00:00+00:00",
]
FORGED = [
    *(("price", value) for value in ("٥", "1_0", " 5 ", "+5", "5\n", "-5", "-0")),
    *(("name", value) for value in ("\ud83d", "a\x00")),
    *(("number", value) for value in ("٥", "05", " 5", "x", "")),
    *(("updated_at", value) for value in TIMES),
]


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(("ordering", "value"), FORGED, ids=ascii)
def test_what_we_would_never_have_written_is_refused(api, ordering, value, sign):
    cursor = cursor_of(f"{sign}{ordering}", value, 1, False)
    paths = [PRODUCTS, ORDERS] if ordering in ("number", "updated_at") else [PRODUCTS]

    for path in paths:
        answer = api.get(path, {"ordering": f"{sign}{ordering}", "cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "cursor")


@pytest.mark.parametrize("more", ["==", "!", "A"])
def test_one_of_ours_with_something_more_is_refused(api, more):
    ours = cursor_of("price", "5.00", 1, False)

    assert api.get(PRODUCTS, {"ordering": "price", "cursor": ours}).status_code == 200
    assert api.get(PRODUCTS, {"ordering": "price", "cursor": ours + more}).status_code == 422


@pytest.mark.parametrize("letter", ["語", "🚒", '"', "\\"])
def test_the_longest_name_can_be_passed(api, letter):
    made = [ProductFactory(name=letter * 254 + end).pk for end in "abc"]

    assert walk(api, f"{PRODUCTS}?ordering=name&page_size=1") == made
