"""Who did it, in words. The books write `staff:3`, `app:<client id>`, `command:work` or `open`."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from ecommerce.models import Client


def names_of(done_by: Iterable[str]) -> dict[str, str]:
    """A name for each of these, for a whole page at once: at most one query for staff, and one for clients."""
    everybody = set(done_by)
    return {who: in_words(who) for who in everybody} | names_of_staff(everybody) | names_of_clients(everybody)


def in_words(who: str) -> str:
    """Without asking anybody: what is left to say of staff and clients that are gone."""
    kind, _, name = who.partition(":")
    return {
        "open": "open caller",
        "command": f"command {name}",
        "staff": f"staff {name} (gone)",
        "app": f"client {name} (gone)",
    }.get(kind, who)


def names_of_staff(everybody: set[str]) -> dict[str, str]:
    numbers = {who.removeprefix("staff:") for who in everybody if who.startswith("staff:")}
    known = User.objects.filter(pk__in=[number for number in numbers if is_number(number)]) if numbers else []
    return {f"staff:{user.pk}": user.get_full_name() or user.username for user in known}


def is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def names_of_clients(everybody: set[str]) -> dict[str, str]:
    ids = {who.removeprefix("app:") for who in everybody if who.startswith("app:")}
    known = Client.objects.filter(client_id__in=ids) if ids else []
    return {f"app:{client.client_id}": str(client) for client in known}
