"""The catalogue in the back office: its list, many prices at once, two who edit one product, and its history."""

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import SOLD_LATELY, Product, ProductGroup
from catalog.pricing import PriceRule
from catalog.services import Cause, adjust_stock, delete_product, receive_stock, update_product
from catalog.wording import told
from orders.services import cancel_order
from tests.factories import ADDRESS, TEST, ProductFactory, place, placed

PRODUCTS = reverse("admin:catalog_product_changelist")
DELETED = reverse("admin:catalog_product_deleted")


def page_of(product, name="change", *more) -> str:
    return reverse(f"admin:catalog_product_{name}", args=[product.pk, *more])


def text_of(answer) -> str:
    """What is read on the page, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def fields_in(answer) -> dict[str, str]:
    """The hidden fields of the page."""
    inputs = re.findall(r'<input type="hidden" name="(\w+)"(?: value="([^"]*)")?', answer.content.decode())
    return {name: value for name, value in inputs if name != "csrfmiddlewaretoken"}


def messages_of(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def form_of(product, **typed) -> dict[str, str]:
    """The change form as it is when somebody opens it, and what was typed into it."""
    form = {
        "name": product.name,
        "sku": product.sku,
        "price": str(product.price),
        "description": product.description,
        "image_url": product.image_url,
        "low_stock_at": "",
        "is_active": "on",
        "seen_version": str(product.version),
    }
    return form | typed


def prices_form(products, **typed) -> dict[str, str]:
    """The list as it is when somebody opens it, by name, and what was typed into it."""
    form = {"form-TOTAL_FORMS": len(products), "form-INITIAL_FORMS": len(products), "_save": "Save"}
    for row, product in enumerate(products):
        form |= {
            f"form-{row}-id": product.pk,
            f"form-{row}-price": product.price,
            f"initial-form-{row}-price": product.price,
            f"form-{row}-seen_version": product.version,
        }
    return form | typed


def act(staff, action, products, **more):
    return staff.post(PRODUCTS, {"action": action, "_selected_action": [p.pk for p in products], **more}, follow=True)


def price_of(product) -> str:
    return str(Product.objects.get(pk=product.pk).price)


@pytest.fixture
def eva(django_user_model) -> str:
    user = django_user_model.objects.create_user("eva", first_name="Eva", last_name="Berg")
    return f"staff:{user.pk}"


# The list


def test_the_list_shows_what_staff_ask_of_it(staff):
    lamp = ProductFactory(name="Lamp", low_stock_at=8, image_url="https://img.example/lamp.jpg")
    placed({lamp: 2}, ship_to=ADDRESS)
    cancel_order(placed({lamp: 3}).pk, done_by="staff:1")

    page = staff.get(PRODUCTS)

    row = page.context["cl"].result_list[0]
    assert row.sold == (2, False)
    assert 'loading="lazy"' in page.content.decode()
    assert '<img src="https://img.example/lamp.jpg" alt="Lamp"' in page.content.decode()
    assert "8 low" in text_of(page)


@pytest.mark.parametrize("address", ["http://img.example/a.jpg", "javascript:alert(1)", "data:image/png;base64,AA"])
def test_only_pictures_of_safe_addresses_are_shown(staff, address):
    Product.objects.filter(pk=ProductFactory().pk).update(image_url=address)

    assert address not in staff.get(PRODUCTS).content.decode()


def test_the_number_of_queries_does_not_depend_on_the_rows(staff):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert staff.get(PRODUCTS).status_code == 200
        return len(asked)

    ProductFactory()
    queries()
    with_one = queries()
    for _ in range(20):
        place({ProductFactory(): 1})

    assert queries() == with_one


def test_what_is_sold_is_read_from_so_many_movements_and_says_when_there_are_more(staff, monkeypatch):
    lamp = ProductFactory(stock=100)
    monkeypatch.setattr("catalog.models.stock.SOLD_LATELY", SOLD_LATELY.replace("1000", "3"))
    for _ in range(4):
        place({lamp: 2})

    assert "6+" in text_of(staff.get(PRODUCTS))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?stock=low", {"Ink"}),
        ("?stock=out", {"Desk"}),
        ("?stock=in", {"Lamp", "Ink"}),
        ("?price_from=6&price_to=50", {"Lamp"}),
        ("?is_active__exact=0", {"Desk"}),
        ("?q=lam", {"Lamp"}),
        ("?q=INK-BLUE", {"Ink"}),
        ("?q=warm+brass", {"Lamp"}),
        ("?stock=nonsense", {"Lamp", "Ink", "Desk"}),
        ("?price_from=nonsense", {"Lamp", "Ink", "Desk"}),
        ("?price_from=NaN", {"Lamp", "Ink", "Desk"}),
    ],
)
def test_the_list_is_narrowed_down(staff, query, names):
    ProductFactory(name="Lamp", price=Decimal("20"), description="Warm light, brass foot")
    ProductFactory(name="Ink", sku="INK-BLUE", price=Decimal("5"), low_stock_at=10)
    ProductFactory(name="Desk", price=Decimal("600"), stock=0, is_active=False)

    page = staff.get(PRODUCTS + query, follow=True)

    assert {product.name for product in page.context["cl"].result_list} == names


def test_prices_are_edited_in_the_list(staff):
    ink, lamp = ProductFactory(name="Ink"), ProductFactory(name="Lamp")
    assert 'name="form-0-seen_version" value="1"' in staff.get(PRODUCTS).content.decode()

    staff.post(PRODUCTS, prices_form([ink, lamp], **{"form-1-price": "25.00"}))

    assert (price_of(ink), price_of(lamp)) == ("19.99", "25.00")
    assert lamp.changes.get(version=2).done_by.startswith("staff:")
    assert ink.changes.count() == 1


def test_a_price_that_changed_meanwhile_is_told_in_its_row_and_overwritten_knowingly(staff):
    ink, lamp = ProductFactory(name="Ink"), ProductFactory(name="Lamp")
    form = prices_form([ink, lamp], **{"form-0-price": "9.00", "form-1-price": "25.00"})
    update_product(lamp.pk, {"price": "22.00"}, cause=TEST)

    told = staff.post(PRODUCTS, form)

    assert "Changed meanwhile, to 22.00. Save again to overwrite that." in text_of(told)
    assert (price_of(ink), price_of(lamp)) == ("19.99", "22.00")
    staff.post(PRODUCTS, form | {"form-1-seen_version": "2"})
    assert (price_of(ink), price_of(lamp)) == ("9.00", "25.00")


def test_a_row_that_nobody_typed_into_is_never_a_conflict(staff):
    ink, lamp = ProductFactory(name="Ink"), ProductFactory(name="Lamp")
    form = prices_form([ink, lamp], **{"form-0-price": "9.00"})
    update_product(lamp.pk, {"price": "22.00"}, cause=TEST)

    staff.post(PRODUCTS, form)

    assert (price_of(ink), price_of(lamp)) == ("9.00", "22.00")


# Many at once


@pytest.mark.parametrize(
    ("rule", "price", "new"),
    [
        ({"is_percentage": True, "change": "10"}, "19.99", "21.99"),
        ({"is_percentage": True, "change": "-50"}, "0.01", "0.01"),
        ({"is_percentage": True, "change": "-100"}, "19.99", None),
        ({"is_percentage": False, "change": "-20"}, "19.99", None),
        ({"is_percentage": False, "change": "1.5"}, "19.99", "21.49"),
        ({"is_percentage": True, "change": "10", "ending": "0.99"}, "20.00", "21.99"),
        ({"is_percentage": True, "change": "0", "ending": "0.99"}, "20.10", "19.99"),
        ({"is_percentage": True, "change": "0", "ending": "0.95"}, "20.60", "20.95"),
        ({"is_percentage": True, "change": "0", "ending": "0.00"}, "20.50", "21.00"),
        ({"is_percentage": True, "change": "0", "ending": "0.00"}, "0.40", None),
        ({"is_percentage": True, "change": "100"}, "9999999999.99", None),
    ],
)
def test_a_rule_makes_a_price(rule, price, new):
    rule = PriceRule(**{name: value if isinstance(value, bool) else Decimal(value) for name, value in rule.items()})

    assert rule.of(Decimal(price)) == (Decimal(new) if new else None)


RAISE = {"way": "percent", "change": "10", "ending": "0.99"}


def test_prices_are_shown_before_they_are_changed(staff):
    ink, lamp = ProductFactory(name="Ink", price=Decimal("5")), ProductFactory(name="Lamp", price=Decimal("50"))

    asked = act(staff, "change_prices", [ink, lamp])
    shown = act(staff, "change_prices", [ink, lamp], **RAISE)
    assert "Show what they would be" in text_of(asked)
    assert "Ink 5.00 5.99 Lamp 50.00 54.99 Change 2 prices" in text_of(shown)
    assert (price_of(ink), price_of(lamp)) == ("5.00", "50.00")

    seen = [f"{product.pk}:1" for product in (ink, lamp)]
    done = act(staff, "change_prices", [ink, lamp], **RAISE, seen=seen, confirmed="yes")
    assert messages_of(done) == ["2 products have their new price now."]
    assert (price_of(ink), price_of(lamp)) == ("5.99", "54.99")


def test_prices_are_changed_as_they_were_shown_or_not_at_all(staff):
    ink, lamp = ProductFactory(name="Ink"), ProductFactory(name="Lamp")
    update_product(lamp.pk, {"price": "22.00"}, cause=TEST)

    for seen in ([f"{ink.pk}:1", f"{lamp.pk}:1"], [f"{ink.pk}:1"], ["x"], []):
        told = act(staff, "change_prices", [ink, lamp], **RAISE, seen=seen, confirmed="yes")
        assert "Nothing was changed. It is about: " in messages_of(told)[0]
        assert (price_of(ink), price_of(lamp)) == ("19.99", "22.00")


@pytest.mark.parametrize("bad", [{"change": "NaN"}, {"change": ""}, {"way": "x"}, {"ending": "7"}, {"change": "-100"}])
def test_a_rule_that_makes_no_prices_changes_none(staff, bad):
    lamp = ProductFactory()

    answer = act(staff, "change_prices", [lamp], **RAISE | bad, seen=[f"{lamp.pk}:1"], confirmed="yes")

    assert (answer.status_code, price_of(lamp)) == (200, "19.99")


@pytest.mark.parametrize("action", ["archive", "put_on_sale", "change_prices"])
def test_too_many_products_at_once_are_refused(staff, monkeypatch, action):
    monkeypatch.setattr("catalog.admin.bulk.AT_ONCE", 1)
    products = [ProductFactory(), ProductFactory()]
    more = RAISE | {"seen": [f"{p.pk}:1" for p in products], "confirmed": "yes"}

    answer = act(staff, action, products, **(more if action == "change_prices" else {}))

    assert messages_of(answer) == ["At most 1 products at once: nothing was done."]
    assert set(Product.objects.values_list("version", flat=True)) == {1}


# Two who edit one product


def test_a_second_save_is_stopped_and_shows_who_did_what(staff, eva):
    lamp = ProductFactory(name="Lamp", sku="LAMP")
    update_product(lamp.pk, {"price": "49.00"}, cause=Cause(done_by=eva))

    answer = staff.post(page_of(lamp), form_of(lamp, name="Lantern"))

    page = text_of(answer)
    assert "Nothing of yours was saved" in page
    assert "Name Lamp Lamp Lantern" in page
    assert "Price 19.99 49.00 not changed" in page
    assert "Eva Berg" in page
    assert Product.objects.get().name == "Lamp"


def test_overwriting_writes_only_what_was_typed(staff):
    lamp = ProductFactory(name="Lamp", sku="LAMP", description="One\nTwo")
    update_product(lamp.pk, {"price": "49.00", "name": "Lamp, brass"}, cause=TEST)
    answer = staff.post(page_of(lamp), form_of(lamp, name="Lantern"))

    saved = staff.post(page_of(lamp), fields_in(answer))

    assert saved.status_code == 302
    assert lamp.changes.get(version=3).changes == {"name": ["Lamp, brass", "Lantern"]}


def test_overwriting_is_stopped_by_a_third(staff):
    lamp = ProductFactory(name="Lamp", sku="LAMP")
    update_product(lamp.pk, {"name": "Torch"}, cause=TEST)
    answer = staff.post(page_of(lamp), form_of(lamp, name="Lantern"))
    update_product(lamp.pk, {"price": "5.00"}, cause=TEST)

    again = staff.post(page_of(lamp), fields_in(answer))

    assert "Price 19.99 5.00 not changed" in text_of(again)
    assert Product.objects.get().name == "Torch"


# History


def test_the_history_says_who_changed_what(staff, eva):
    lamp = ProductFactory(name="Lamp")
    update_product(lamp.pk, {"price": "49.00"}, cause=Cause(done_by=eva, note="spring"))

    page = text_of(staff.get(page_of(lamp, "history")))

    assert "Eva Berg changed it" in page
    assert "(spring)" in page
    assert "Price: 19.99 → 49.00" in page
    assert "command test created it" in page


def test_a_group_is_named_and_all_of_a_page_cost_one_query(staff, django_assert_num_queries):
    lamp = ProductFactory(name="Lamp")
    groups = [ProductGroup.objects.create(handle=f"lamps-{n}", title="Lamps" if n else "") for n in range(3)]
    for group in groups:
        update_product(lamp.pk, {"group_id": group.pk}, cause=TEST)

    page = text_of(staff.get(page_of(lamp, "history")))
    assert "Group: — → lamps-0" in page
    assert "Group: lamps-0 → Lamps (lamps-1)" in page
    assert "Group: Lamps (lamps-1) → Lamps (lamps-2)" in page
    assert "Group: Lamps (lamps-2) → lamps-0" in text_of(staff.get(page_of(lamp, "restore", 2)))
    assert "Group: — → lamps-0" in text_of(staff.post(page_of(lamp), form_of(lamp, name="Lantern")))
    with django_assert_num_queries(2):
        told(lamp.changes.all())


def test_a_version_is_restored_after_a_question(staff):
    lamp = ProductFactory(name="Lamp")
    update_product(lamp.pk, {"name": "Torch"}, cause=TEST)
    update_product(lamp.pk, {"price": "49.00"}, cause=TEST)
    page = page_of(lamp, "restore", 1)

    asked = text_of(staff.get(page))
    assert "Name: Torch → Lamp Price: 49.00 → 19.99" in asked

    staff.post(page, {"seen_version": "3"})
    product = Product.objects.get()
    assert (product.name, str(product.price), product.version) == ("Lamp", "19.99", 4)
    assert lamp.changes.get(version=4).note == "Version 1 restored"


def test_a_restoration_is_refused_where_the_product_has_moved_on(staff):
    lamp = ProductFactory(name="Lamp")
    update_product(lamp.pk, {"name": "Torch"}, cause=TEST)

    for seen in ("1", "", "x", "-1"):
        answer = staff.post(page_of(lamp, "restore", 1), {"seen_version": seen})
        assert "Somebody else has changed the product" in messages_of(answer)[0]
    assert Product.objects.get().name == "Torch"


def test_a_restoration_is_refused_where_another_took_the_sku(staff):
    lamp = ProductFactory(sku="LAMP")
    update_product(lamp.pk, {"sku": "OLD"}, cause=TEST)
    ProductFactory(sku="LAMP")

    answer = staff.post(page_of(lamp, "restore", 1), {"seen_version": "2"})

    assert messages_of(answer) == ["Another product has this SKU."]
    assert Product.objects.get(pk=lamp.pk).sku == "OLD"


def test_the_list_leads_to_the_history_of_a_product_that_was_deleted(staff, eva):
    oops = ProductFactory(name="Lamp <b>", sku="OOPS", stock=0)
    delete_product(oops.pk, cause=Cause(done_by=eva, note="typed twice"))
    assert f'href="{DELETED}"' in staff.get(PRODUCTS).content.decode()

    listed = staff.get(DELETED)
    assert "Lamp &lt;b&gt; OOPS 19.99" in text_of(listed)
    assert "Eva Berg typed twice" in text_of(listed)
    assert f'href="{page_of(oops, "history")}"' in listed.content.decode()

    page = text_of(staff.get(page_of(oops, "history")))
    assert "History of Lamp &lt;b&gt; Deleted products Eva Berg deleted it" in page
    assert "SKU: OOPS Name: Lamp &lt;b&gt; " in page
    assert "command test created it" in page
    assert "Restore this version" not in page
    assert staff.get(page_of(oops, "restore", 1)).status_code == 404


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ("", ["B-2", "A-1"]),
        ("?q=lam", ["A-1"]),
        ("?q=+b-", ["B-2"]),
        ("?q=Lantern", []),
        ("?q=%00", ["B-2", "A-1"]),
        ("?page=9", ["B-2", "A-1"]),
    ],
)
def test_the_deleted_are_found_by_name_and_sku(staff, query, skus):
    for sku, name in (("A-1", "Lamp"), ("B-2", "Ink")):
        delete_product(ProductFactory(name=name, sku=sku, stock=0).pk, cause=TEST)
    ProductFactory(name="Lantern")

    assert [row[1] for row in staff.get(DELETED + query).context["table"]["rows"]] == skus


def test_the_number_of_queries_does_not_depend_on_the_deleted(staff):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert staff.get(DELETED).status_code == 200
        return len(asked)

    delete_product(ProductFactory(stock=0).pk, cause=TEST)
    with_one = queries()
    for _ in range(3):
        delete_product(ProductFactory(stock=0).pk, cause=TEST)

    assert queries() == with_one


def test_a_product_that_never_was_has_no_history(staff):
    assert staff.get(reverse("admin:catalog_product_history", args=[999_999])).status_code == 404


@pytest.mark.parametrize("version", [0, 9, 99999999999])
def test_there_is_no_version_that_never_was(staff, version):
    assert staff.get(page_of(ProductFactory(), "restore", version)).status_code == 404


# Why is this 47?


def test_the_ledger_links_each_row_to_its_order_and_names_its_person(staff, eva):
    lamp = ProductFactory()
    order = placed({lamp: 2}, ship_to=ADDRESS)
    adjust_stock(lamp.pk, -1, cause=Cause(done_by=eva, note="broken"))

    answer = staff.get(page_of(lamp, "stock"))

    assert f"?q={order.uuid}" in answer.content.decode()
    assert "Adjusted by hand -1 7 Eva Berg broken" in text_of(answer)
    assert "An order took them -2 +2 8" in text_of(answer)


def test_the_ledger_is_narrowed_down_and_paged(staff, monkeypatch):
    monkeypatch.setattr("catalog.admin.stock.PER_PAGE", 2)
    lamp = ProductFactory()
    for n in range(1, 5):
        receive_stock(lamp.pk, n, cause=TEST)
    adjust_stock(lamp.pk, -1, cause=TEST)

    def rows(query):
        return [row[2] for row in staff.get(page_of(lamp, "stock") + query).context["ledger"]["rows"]]

    first = staff.get(page_of(lamp, "stock") + "?show=received")
    assert rows("?show=received") == ["+4", "+3"]
    assert rows(f"?{first.context['older']}") == ["+2", "+1"]
    assert rows("?show=adjusted") == ["-1"]
    assert rows("?until=2001-01-01T00:00") == []
    assert rows("?show=nonsense&before=x&until=%00") == ["-1", "+4"]


def test_the_stock_leads_to_whoever_it_is_committed_to(staff):
    lamp, ink = ProductFactory(), ProductFactory()
    holding, waiting = placed({lamp: 1}, hold=timedelta(hours=1)), placed({lamp: 2}, ship_to=ADDRESS)
    placed({ink: 1}, ship_to=ADDRESS)
    page = staff.get(page_of(lamp, "stock")).content.decode()
    holds, to_ship = (
        html.unescape(link) for link in re.findall(r'href="(/admin/orders/order/[^"]*product=[^"]+)"', page)
    )

    assert [hold.order for hold in staff.get(holds).context["holds"]] == [holding]
    assert list(staff.get(to_ship).context["cl"].result_list) == [waiting]
