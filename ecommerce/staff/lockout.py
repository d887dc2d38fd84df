"""Login protection by django-axes: whoever fails too often waits, whether or not there is such a person."""

import math
from contextlib import suppress
from typing import Any

import structlog
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.db import IntegrityError
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ecommerce.api.throttling import address_of

log = structlog.get_logger(__name__)

TRIES = 3  # to count a failure: its row may be made by another one, and taken away by a success, at the same time


class LoginGuard(AxesDatabaseHandler):
    """Few failures of one name from one address are enough, and many of one name from anywhere."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        here, anywhere = (failures_in(attempts) for attempts in self.get_user_attempts(request, credentials))
        return int(max(here, anywhere * settings.AXES_FAILURE_LIMIT // settings.FAILURE_LIMIT_ANYWHERE))

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **options: Any
    ) -> None:
        for _ in range(TRIES):
            with suppress(IntegrityError):
                super().user_login_failed(sender, credentials, request, **options)
                break
        locked = getattr(request, "axes_locked_out", False)
        log.warning("login_locked" if locked else "login_failed", address=request and address_of(request))

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """A success forgives the failures from this address; a stranger's elsewhere still count."""
        here, _ = self.filter_user_attempts(request, credentials)
        return int(here.delete()[0])


def failures_in(attempts: QuerySet[AccessAttempt]) -> int:
    return attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0


def client_address(request: HttpRequest) -> str | None:
    address = address_of(request)
    return None if address == "unknown" else address


def locked_page(request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None) -> HttpResponse:
    wait = settings.AXES_COOLOFF_TIME
    context = {**admin.site.each_context(request), "title": "Too many tries", "minutes": math.ceil(wait.seconds / 60)}
    page = render(request, "admin/locked.html", context, status=429)
    page["Retry-After"] = str(wait.seconds)
    return page
