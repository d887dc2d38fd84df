"""The optional second factor: a code of an app (TOTP), or one of the backup codes.

A session has passed it when its login was given a code. It never asks twice, and a code never works twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django_otp import verify_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

BACKUP_CODES = 10
NAME = "authenticator app"


def device_of(user: Any) -> TOTPDevice | None:
    return TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).first()


def is_passed(user: Any) -> bool:
    """Of whoever a session names, read by `StaffBackend`: whether the session may be used."""
    if user.is_verified():
        return True
    return not settings.REQUIRE_SECOND_FACTOR and not user.has_second_factor


@contextmanager
def locked(user: Any) -> Iterator[None]:
    """Two pages that set up at the same time take turns."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        yield


def device_to_confirm(user: Any) -> TOTPDevice:
    """The same one, with its secret, until it is confirmed."""
    with locked(user):
        return TOTPDevice.objects.get_or_create(user_id=user.pk, confirmed=False, defaults={"name": NAME})[0]


def confirm(user: Any, code: str) -> tuple[TOTPDevice, list[str]] | None:
    """The device and the backup codes, which nobody can read again; None if it is not its code."""
    with locked(user):
        device = TOTPDevice.objects.filter(user_id=user.pk, confirmed=False).first()
        if device_of(user) or device is None or not device.verify_token(code):
            return None
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        return device, new_backup_codes(user)


def new_backup_codes(user: Any) -> list[str]:
    """In place of those that there were."""
    StaticDevice.objects.filter(user_id=user.pk).delete()
    device = StaticDevice.objects.create(user_id=user.pk, name="backup codes")
    codes = [StaticToken.random_token() for _ in range(BACKUP_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def is_right(user: Any, code: str) -> bool:
    """Uses the code up. Each failure makes the next try wait twice as long."""
    code = code.replace(" ", "").lower()
    device = device_of(user) if code.isdecimal() else StaticDevice.objects.filter(user_id=user.pk).first()
    return device is not None and verify_token(user, device.persistent_id, code) is not None


def remove(user: Any) -> None:
    with locked(user):
        TOTPDevice.objects.filter(user_id=user.pk).delete()
        StaticDevice.objects.filter(user_id=user.pk).delete()
