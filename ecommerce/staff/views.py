from base64 import b32encode
from typing import Any

import segno
import structlog
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django_otp import login as pass_second_factor

from ecommerce.staff import second_factor
from ecommerce.staff.login import WRONG, CodeForm, FirstCodeForm

log = structlog.get_logger(__name__)


@never_cache
def second_factor_view(request: HttpRequest) -> HttpResponse:
    """Of one's own: open to whoever has logged in, also where the rest waits for a second factor."""
    user: Any = request.user
    device = second_factor.device_of(user) if user.is_authenticated else None
    if not (user.is_active and user.is_staff) or (device and not user.is_verified()):
        return redirect("admin:login")
    form = (CodeForm if device else FirstCodeForm)(request.POST or None)
    if not form.is_valid():
        return page(request, form=form)
    if device is None:
        return set_up(request, form)
    return change(request, form)


def set_up(request: HttpRequest, form: CodeForm) -> HttpResponse:
    confirmed = second_factor.confirm(request.user, form.cleaned_data["code"])
    if confirmed is None:
        form.add_error("code", WRONG)
        return page(request, form=form)
    device, codes = confirmed
    pass_second_factor(request, device)
    log.info("second_factor_set_up")
    return page(request, codes=codes)


def change(request: HttpRequest, form: CodeForm) -> HttpResponse:
    if not second_factor.is_right(request.user, form.cleaned_data["code"]):
        form.add_error("code", WRONG)
        return page(request, form=form)
    if "remove" not in request.POST:
        return page(request, codes=second_factor.new_backup_codes(request.user))
    second_factor.remove(request.user)
    log.info("second_factor_removed")
    messages.success(request, "The second factor is removed.")
    return redirect("admin:second_factor")


def page(request: HttpRequest, *, form: CodeForm | None = None, codes: list[str] | None = None) -> HttpResponse:
    has_device = second_factor.device_of(request.user) is not None
    device = None if has_device else second_factor.device_to_confirm(request.user)
    context = {
        **admin.site.each_context(request),
        "title": "Second factor",
        "form": form,
        "codes": codes,
        "has_device": has_device,
        "secret": device and b32encode(device.bin_key).decode(),
        "picture": device and segno.make(device.config_url).svg_data_uri(scale=5),
    }
    return render(request, "admin/second_factor.html", context)
