from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from unfold.sites import UnfoldAdminSite

from ecommerce.staff import second_factor


class BackOffice(UnfoldAdminSite):
    """The admin site; `UNFOLD` in `ecommerce.appearance` is its look."""

    site_header = site_title = "Back office"
    index_title = "The shop"

    def has_permission(self, request: HttpRequest) -> bool:
        return is_staff(request) and second_factor.is_passed(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        from ecommerce.staff.login import PasswordView

        if request.method == "GET" and is_staff(request):
            return redirect(self.next_step(request))
        context = self.each_context(request) | {"title": "Log in", "app_path": request.get_full_path()}
        return PasswordView.as_view(extra_context=context | (extra_context or {}))(request)

    def next_step(self, request: HttpRequest) -> str:
        """Of whoever has logged in."""
        if self.has_permission(request):
            return reverse("admin:index")
        return reverse("admin:code" if second_factor.device_of(request.user) else "admin:second_factor")

    def extra_urls(self) -> list[URLPattern]:
        from ecommerce.staff.login import code_view
        from ecommerce.staff.views import second_factor_view
        from ecommerce.views import limited_by_address

        return [
            path("login/code/", limited_by_address(code_view, of="logins"), name="code"),
            path("second-factor/", second_factor_view, name="second_factor"),
        ]


def is_staff(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_staff
