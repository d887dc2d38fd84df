"""What each role may do when the shop is set up. From then on it is the shop's to change, in the back office."""

from fnmatch import fnmatchcase
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

from ecommerce.models import OfferedPermission

ROLES = {
    "Viewer": ["catalog.view_*", "orders.view_*"],
    "Catalogue manager": ["catalog.*"],
    "Order manager": ["orders.*", "catalog.view_*"],
    "Owner": [
        "catalog.*",
        "orders.*",
        "ecommerce.*_client",
        "auth.*_user",
        "auth.*_group",
        "axes.view_accessattempt",
        "axes.delete_accessattempt",
    ],
}


def offer_permissions(sender: AppConfig, *, apps: Any, using: str, **options: Any) -> None:
    """After `migrate`: give the permissions of an app's models to the roles that are meant to have them, once each.

    What an owner has taken away since is not given again, and a role that was renamed or deleted is not made again.
    """
    try:
        apps.get_model("ecommerce", "OfferedPermission")
    except LookupError:  # migrated back to before there were roles
        return
    create_permissions(sender, apps=apps, using=using, verbosity=0)
    offered = set(OfferedPermission.objects.values_list("role", "permission_id"))
    permissions = Permission.objects.filter(content_type__app_label=sender.label).select_related("content_type")
    new = [(role, permission) for permission in permissions for role in roles_for(permission)]
    new = [(role, permission) for role, permission in new if (role, permission.pk) not in offered]
    for role in {role for role, _ in new}:
        offer(role, [permission for its, permission in new if its == role], make=role not in dict(offered))


def roles_for(permission: Permission) -> list[str]:
    name = f"{permission.content_type.app_label}.{permission.codename}"
    return [role for role, patterns in ROLES.items() if any(fnmatchcase(name, pattern) for pattern in patterns)]


def offer(role: str, permissions: list[Permission], *, make: bool) -> None:
    """`make` the role: nothing was ever offered to it."""
    OfferedPermission.objects.bulk_create(OfferedPermission(role=role, permission=one) for one in permissions)
    group = Group.objects.get_or_create(name=role)[0] if make else Group.objects.filter(name=role).first()
    if group:
        group.permissions.add(*permissions)
