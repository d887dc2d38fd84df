"""Who may change whom. Nobody gives what they do not have, and somebody can always let the others in."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, User
from django.db import connection
from django.db.models import Q, QuerySet

LOCK = 0x5A0C
Actor = User | AnonymousUser | AbstractBaseUser


class LastOwner(Exception):
    def __init__(self) -> None:
        super().__init__("Then nobody could manage staff any more: nothing was changed.")


def permissions_of(user: Actor) -> QuerySet[Permission]:
    """Those that the user has, or would have again when active."""
    if getattr(user, "is_superuser", False):
        return Permission.objects.all()
    return Permission.objects.filter(Q(group__user=user.pk) | Q(user=user.pk)).distinct()


def grantable_roles(actor: Actor) -> QuerySet[Group]:
    """Those that hold no permission that the actor lacks."""
    lacking = Permission.objects.exclude(pk__in=permissions_of(actor).values("pk"))
    return Group.objects.exclude(permissions__in=lacking)


def may_manage(actor: Actor, user: User) -> bool:
    """Whoever can set a password can become that person, so it takes every permission that they have."""
    if getattr(actor, "is_superuser", False):
        return True
    return not user.is_superuser and not permissions_of(user).difference(permissions_of(actor)).exists()


def owners() -> QuerySet[User]:
    """Who can let others in."""
    may_change_staff = Permission.objects.filter(content_type__app_label="auth", codename="change_user")
    has_permission = Q(groups__permissions__in=may_change_staff) | Q(user_permissions__in=may_change_staff)
    return User.objects.filter(Q(is_superuser=True) | has_permission, is_active=True, is_staff=True).distinct()


def take_turns() -> None:
    """For the rest of the transaction, nobody else changes staff or roles: two owners who demote each other are one
    after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def keep_an_owner() -> None:
    """To be called after a change, in its transaction, which a refusal rolls back."""
    if not owners().exists():
        raise LastOwner
