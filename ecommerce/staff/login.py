"""Getting in: the password, then the code of whoever has a second factor."""

import time
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_credentials
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import login, user_login_failed, views
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from unfold.forms import AuthenticationForm

from ecommerce.forms import StaffForm
from ecommerce.staff import second_factor
from ecommerce.staff.lockout import locked_page

PENDING = "pending_login"
PATIENCE_SECONDS = 300
WRONG = "That code is wrong, or was used already. Wait for a new one; after several wrong ones, a little longer."


class CodeForm(StaffForm):
    code = forms.CharField(
        max_length=16, help_text="Six digits of the app, or a backup code.", widget=forms.TextInput({"autofocus": ""})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autocomplete"] = "one-time-code"


class FirstCodeForm(CodeForm):
    """Before there are backup codes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = "Six digits of the app."


class PasswordView(views.LoginView):
    template_name = "admin/login.html"
    authentication_form = AuthenticationForm
    next_page = "admin:index"

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if second_factor.device_of(user) is None:
            return super().form_valid(form)
        self.request.session[PENDING] = {
            "user": user.pk,
            "hash": user.get_session_auth_hash(),
            "at": time.time(),
            "next": self.get_success_url(),
        }
        return redirect("admin:code")


def pending_user(request: HttpRequest) -> User | None:
    """Who has given the password a moment ago; or who has logged in before there was a second factor."""
    if request.user.is_authenticated and second_factor.device_of(request.user):
        return User.objects.get(pk=request.user.pk)
    pending = request.session.get(PENDING)
    if not pending or time.time() - pending["at"] > PATIENCE_SECONDS:
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    return user if user and user.get_session_auth_hash() == pending["hash"] else None


@never_cache
def code_view(request: HttpRequest) -> HttpResponse:
    user = pending_user(request)
    if user is None:
        return redirect("admin:login")
    credentials = get_credentials(user.get_username())
    if not AxesProxyHandler.is_allowed(request, credentials):
        return locked_page(request, HttpResponse(), credentials)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if second_factor.is_right(user, form.cleaned_data["code"]):
            return let_in(request, user)
        user_login_failed.send(sender=__name__, credentials=credentials, request=request)
        form.add_error("code", WRONG)
    context = {**admin.site.each_context(request), "title": "Second factor", "form": form}
    return render(request, "admin/code.html", context)


def let_in(request: HttpRequest, user: User) -> HttpResponse:
    place = request.session.get(PENDING, {}).get("next") or resolve_url("admin:index")
    user.otp_device = second_factor.device_of(user)  # type: ignore[attr-defined]
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    request.session.pop(PENDING, None)
    return redirect(place)
