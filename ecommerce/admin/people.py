"""Staff, their roles, and who has failed to log in."""

from typing import Any

import structlog
from axes.models import AccessAttempt
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django_otp.plugins.otp_static import admin as otp_static
from django_otp.plugins.otp_totp import admin as otp_totp
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from ecommerce.admin.base import DeletedAlone, ReadOnly, ShopAdmin
from ecommerce.staff import rules, second_factor

log = structlog.get_logger(__name__)

# Devices hold secrets: whoever owns one sees to it in the account menu.
admin.site.unregister([User, Group, otp_totp.TOTPDevice, otp_static.StaticDevice])


class KeepsAnOwner(DeletedAlone, ShopAdmin):
    """Changes of staff and roles take turns, and are refused when nobody could manage staff after them."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        rules.take_turns()
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        rules.keep_an_owner()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        rules.take_turns()
        super().delete_model(request, obj)
        rules.keep_an_owner()

    def get_actions(self, request: HttpRequest) -> Any:
        """None: each is looked at alone."""
        return {}

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except rules.LastOwner as refusal:
            return self.refused(request, refusal)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().delete_view(request, *args, **kwargs)
        except rules.LastOwner as refusal:
            return self.refused(request, refusal)

    def refused(self, request: HttpRequest, refusal: rules.LastOwner) -> HttpResponse:
        self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


class NewStaffForm(UserCreationForm):
    usable_password = None  # there is no other way in


@admin.register(User)
class StaffAdmin(UserAdmin, KeepsAnOwner):  # type: ignore[misc]
    form = UserChangeForm
    add_form = NewStaffForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "name", "email", "roles", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    list_select_related = False
    filter_horizontal = ("user_permissions",)
    actions_detail = ("reset_second_factor",)
    add_fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        ("Password", {"fields": ("password1", "password2")}),
        ("Roles", {"fields": ("groups",)}),
    )
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("What they may do", {"fields": ("is_active", "groups", "is_superuser", "user_permissions")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )

    @admin.display(ordering=("first_name"))
    def name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        return "everything" if user.is_superuser else ", ".join(group.name for group in user.groups.all())

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        times = ("last_login", "date_joined")
        return times if request.user.is_superuser else (*times, "is_superuser", "user_permissions")

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name != "groups":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        roles = rules.grantable_roles(request.user).order_by("name")
        widget = UnfoldAdminCheckboxSelectMultipleWidget
        return forms.ModelMultipleChoiceField(roles, widget=widget, required=False, label="Roles")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.is_staff = True
        super().save_model(request, obj, form, change)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        may_change = super().has_change_permission(request, obj)
        return may_change and (obj is None or rules.may_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever has ever logged in may stand in the books, and is deactivated instead."""
        may_delete = super().has_delete_permission(request, obj)
        return may_delete and obj is not None and obj.last_login is None and rules.may_manage(request.user, obj)

    def has_manage_permission(self, request: HttpRequest, object_id: str) -> bool:
        user = self.get_object(request, object_id)
        return user is not None and self.has_change_permission(request, user)

    @action(description="Reset second factor", url_path="second-factor", permissions=["manage"])
    def reset_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = User.objects.get(pk=object_id)
        if request.method == "POST":
            second_factor.remove(user)
            self.log_change(request, user, "Reset the second factor.")
            log.warning("second_factor_reset", staff=user.pk)
            self.message_user(request, "They log in with the password alone now, and can set up a new second factor.")
            return redirect("admin:auth_user_change", user.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Reset the second factor of {user}?",
            "text": "Do this when the person has lost the app and the backup codes, and you know who is asking.",
            "button": "Reset the second factor",
            "back": reverse("admin:auth_user_change", args=[user.pk]),
        }
        return render(request, "admin/question.html", context)


@admin.register(Group)
class RoleAdmin(GroupAdmin, KeepsAnOwner):  # type: ignore[misc]
    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name == "permissions":
            kwargs["queryset"] = rules.permissions_of(request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and self.is_within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self.is_within_reach(request, obj)

    def is_within_reach(self, request: HttpRequest, role: Group | None) -> bool:
        return role is None or rules.grantable_roles(request.user).filter(pk=role.pk).exists()


@admin.register(AccessAttempt)
class FailedLoginAdmin(ReadOnly, ShopAdmin):
    list_display = ("username", "ip_address", "failures_since_start", "attempt_time", "is_locked")
    search_fields = ("username", "ip_address")
    fields = ("username", "ip_address", "user_agent", "failures_since_start", "attempt_time")
    ordering = ("-attempt_time",)
    actions = ("unlock",)

    @admin.display(description="locked", boolean=True)
    def is_locked(self, attempt: AccessAttempt) -> bool:
        return bool(attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")

    @admin.action(description="Let these names log in again", permissions=["unlock"])
    def unlock(self, request: HttpRequest, attempts: QuerySet[AccessAttempt]) -> None:
        names = set(attempts.values_list("username", flat=True))
        AccessAttempt.objects.filter(username__in=names).delete()
        log.warning("login_unlocked", staff=list(User.objects.filter(username__in=names).values_list("pk", flat=True)))
        self.message_user(request, "They may try again.")
