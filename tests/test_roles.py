"""What a role may do, and that nobody gets or gives more than they have."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from ecommerce.staff.roles import ROLES, roles_for
from tests.races import race

pytestmark = pytest.mark.django_db(transaction=True)

STAFF = reverse("admin:auth_user_changelist")


def somebody(name: str, *roles: str, **attributes) -> User:
    user = User.objects.create_user(name, password="a long password", **{"is_staff": True} | attributes)
    user.groups.set(Group.objects.filter(name__in=roles))
    assert user.groups.count() == len(roles)
    return user


def browser_of(user: User) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


def page_of(row) -> str:
    return reverse(f"admin:auth_{row._meta.model_name}_change", args=[row.pk])


def form_of(user: User, **changes) -> dict:
    told = {"username": user.username, "first_name": "", "last_name": "", "email": "", "is_active": "on"}
    return told | {"groups": [group.pk for group in user.groups.all()]} | changes


def role(name: str) -> Group:
    return Group.objects.get(name=name)


def messages_of(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def names_of(permissions) -> set[str]:
    return {f"{app}.{name}" for app, name in permissions.values_list("content_type__app_label", "codename")}


@pytest.mark.parametrize(
    ("name", "may", "may_not"),
    [
        ("Viewer", {"catalog.view_product", "orders.view_order"}, {"catalog.change_stock", "auth.view_user"}),
        ("Catalogue manager", {"catalog.change_stock", "catalog.add_product"}, {"orders.view_order"}),
        ("Order manager", {"orders.add_order", "catalog.view_product"}, {"catalog.change_stock", "auth.view_user"}),
        ("Owner", {"auth.change_user", "ecommerce.add_client", "orders.add_order"}, {"auth.change_permission"}),
    ],
)
def test_the_roles_are_there_from_the_start(name, may, may_not):
    given = names_of(role(name).permissions)

    assert may <= given
    assert not may_not & given
    assert all(name in roles_for(permission) for permission in role(name).permissions.all())


def test_a_viewer_only_looks():
    assert {name.split(".")[1].split("_")[0] for name in names_of(role("Viewer").permissions)} == {"view"}


def test_what_an_owner_took_away_is_not_given_again():
    taken = Permission.objects.get(codename="view_order")
    role("Viewer").permissions.remove(taken)
    role("Order manager").delete()

    call_command("migrate", verbosity=0)

    assert taken not in role("Viewer").permissions.all()
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES) - {"Order manager"}


@pytest.fixture
def new_permission() -> Iterator[Permission]:
    """Of a model that a later version brings."""
    orders = ContentType.objects.get(app_label="orders", model="order")
    permission = Permission.objects.create(content_type=orders, codename="view_parcel", name="Can view parcels")
    yield permission
    permission.delete()  # nobody else empties this table


def test_a_model_that_comes_later_reaches_the_roles(new_permission):
    call_command("migrate", verbosity=0)

    having = set(Group.objects.filter(permissions=new_permission).values_list("name", flat=True))
    assert having == {"Viewer", "Order manager", "Owner"}


def test_every_pattern_of_a_role_means_something():
    met = {role for permission in Permission.objects.select_related("content_type") for role in roles_for(permission)}

    assert met == set(ROLES)


def test_an_owner_makes_staff_and_gives_roles():
    owner = browser_of(somebody("mia", "Owner"))

    answer = owner.post(
        reverse("admin:auth_user_add"),
        {
            "username": "eva",
            "password1": "a long pass phrase",
            "password2": "a long pass phrase",
            "groups": [role("Viewer").pk],
            "is_superuser": "on",
        },
    )

    eva = User.objects.get(username="eva")
    assert answer.status_code == 302
    assert (eva.is_staff, eva.is_superuser, list(eva.groups.all())) == (True, False, [role("Viewer")])


def test_nobody_but_a_superuser_makes_one(staff):
    eva = somebody("eva", "Viewer")
    owner = browser_of(somebody("owner", "Owner"))
    every_permission = list(Permission.objects.values_list("pk", flat=True))

    answer = owner.post(page_of(eva), form_of(eva, is_superuser="on", user_permissions=every_permission))

    eva.refresh_from_db()
    assert answer.status_code == 302
    assert (eva.is_superuser, eva.user_permissions.count()) == (False, 0)

    staff.post(page_of(eva), form_of(eva, is_superuser="on"))
    eva.refresh_from_db()
    assert eva.is_superuser


def test_nobody_raises_themself():
    half = Group.objects.create(name="Personnel")
    half.permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "add_user"]))
    sam = somebody("sam", "Personnel")

    answer = browser_of(sam).post(page_of(sam), form_of(sam, groups=[role("Owner").pk]))

    assert "is not one of the available choices" in answer.content.decode()
    assert list(sam.groups.all()) == [half]


@pytest.mark.parametrize("superior", [{"roles": ["Owner"]}, {"roles": [], "is_superuser": True}])
def test_who_has_less_cannot_become_who_has_more(superior):
    half = Group.objects.create(name="Personnel")
    half.permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "delete_user"]))
    attributes = dict(superior)
    boss = somebody("boss", *attributes.pop("roles"), **attributes)
    sam = browser_of(somebody("sam", "Personnel"))
    before = boss.password

    pages = [page_of(boss), reverse("admin:auth_user_password_change", args=[boss.pk])]
    pages += [reverse(f"admin:auth_user_{page}", args=[boss.pk]) for page in ("delete", "reset_second_factor")]
    form = form_of(boss, is_active="", password1="a new pass phrase", password2="a new pass phrase", post="yes")
    assert [sam.post(page, form).status_code for page in pages] == [403] * 4

    boss.refresh_from_db()
    assert (boss.is_active, boss.password) == (True, before)


def test_an_inactive_superior_is_one_too():
    half = Group.objects.create(name="Personnel")
    half.permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    boss = somebody("boss", "Owner", is_active=False)

    assert browser_of(somebody("sam", "Personnel")).post(page_of(boss), form_of(boss)).status_code == 403


def test_an_owner_changes_another_owner_but_no_superuser():
    one, other = somebody("one", "Owner"), somebody("other", "Owner")
    root = somebody("root", is_superuser=True)

    assert browser_of(one).post(page_of(other), form_of(other, is_active="")).status_code == 302
    assert browser_of(one).post(page_of(root), form_of(root, is_active="")).status_code == 403
    assert not User.objects.get(pk=other.pk).is_active
    assert User.objects.get(pk=root.pk).is_active


def test_a_role_holds_nothing_that_its_maker_lacks():
    owner = browser_of(somebody("mia", "Owner"))
    lacking = Permission.objects.get(codename="change_permission")

    answer = owner.post(reverse("admin:auth_group_add"), {"name": "All", "permissions": [lacking.pk]})

    assert answer.status_code == 200
    assert not Group.objects.filter(name="All").exists()


def test_a_role_above_ones_own_cannot_be_changed():
    above = Group.objects.create(name="Above")
    above.permissions.set(Permission.objects.all())
    owner = browser_of(somebody("mia", "Owner"))

    assert owner.post(page_of(above), {"name": "Mine"}).status_code == 403
    assert owner.post(reverse("admin:auth_group_delete", args=[above.pk]), {"post": "yes"}).status_code == 403
    assert Group.objects.filter(name="Above").exists()


@pytest.mark.parametrize("change", [{"is_active": ""}, {"groups": []}])
def test_the_last_owner_cannot_lock_themself_out(change):
    mia = somebody("mia", "Owner")

    answer = browser_of(mia).post(page_of(mia), form_of(mia) | change, follow=True)

    assert messages_of(answer) == ["Then nobody could manage staff any more: nothing was changed."]
    mia.refresh_from_db()
    assert (mia.is_active, list(mia.groups.all())) == (True, [role("Owner")])


def test_the_last_role_that_lets_others_in_stays():
    owner = browser_of(somebody("mia", "Owner"))
    keep = Permission.objects.get(codename="view_user").pk

    assert messages_of(owner.post(page_of(role("Owner")), {"name": "Owner", "permissions": [keep]}, follow=True))
    gone = owner.post(reverse("admin:auth_group_delete", args=[role("Owner").pk]), {"post": "yes"}, follow=True)
    assert messages_of(gone) == ["Then nobody could manage staff any more: nothing was changed."]
    assert role("Owner").permissions.filter(codename="change_user").exists()


def test_two_owners_who_demote_each_other_leave_one():
    one, other = somebody("one", "Owner"), somebody("other", "Owner")

    def demote(by, whom):
        browser = browser_of(by)
        return lambda: browser.post(page_of(whom), form_of(whom, is_active="")).status_code

    assert race([demote(one, other), demote(other, one)]) == [302, 302]
    assert User.objects.filter(is_active=True).count() == 1


def test_who_has_ever_logged_in_is_deactivated_and_not_deleted(staff):
    eva, newcomer = somebody("eva", "Viewer"), somebody("newcomer", "Viewer")
    browser_of(eva)

    assert staff.post(reverse("admin:auth_user_delete", args=[eva.pk]), {"post": "yes"}).status_code == 403
    assert staff.post(reverse("admin:auth_user_delete", args=[newcomer.pk]), {"post": "yes"}).status_code == 302
    assert list(User.objects.filter(username__in=["eva", "newcomer"])) == [eva]


def test_who_is_deactivated_is_out_at_once():
    owner, eva = browser_of(somebody("mia", "Owner")), somebody("eva", "Viewer")
    browser = browser_of(eva)
    assert browser.get("/admin/").status_code == 200

    owner.post(page_of(eva), form_of(eva, is_active=""))

    assert browser.get("/admin/").status_code == 302
