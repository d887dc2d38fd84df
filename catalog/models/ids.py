"""How rows are named, and how others name them."""

import re
import secrets
from base64 import b32encode
from uuid import UUID

from django.db import models
from django.db.models import Func
from django.db.models.functions import Cast
from uuid_utils import compat

UUID_FORM = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"
IS_UUID = re.compile(UUID_FORM)
Reference = int | UUID | str  # how a caller names a product: its number, its uuid or its sku
COLUMN_OF: dict[type, str] = {int: "id", UUID: "uuid", str: "sku"}


def make_uuid() -> UUID:
    """A UUIDv7: sorted by time, so that its index grows at one end."""
    return compat.uuid7()


def make_sku() -> str:
    return "P" + b32encode(secrets.token_bytes(7))[:10].decode()


def transaction_id() -> models.Expression:
    """The id of the writing transaction. A reader that stops below the oldest one still open misses nothing."""
    return Cast(Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField())
