from typing import Any

import structlog
from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.debug import sensitive_variables
from unfold.decorators import action
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from ecommerce.admin.base import DeletedAlone, ShopAdmin
from ecommerce.clients import create_client, rotate_secret
from ecommerce.models import Client

log = structlog.get_logger(__name__)


class ScopesField(forms.MultipleChoiceField):
    """Checkboxes for what the column keeps as words."""

    def prepare_value(self, value: Any) -> Any:
        return value.split() if isinstance(value, str) else value

    def clean(self, value: Any) -> str:
        return " ".join(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial or ""), data)


class ClientForm(forms.ModelForm):
    scopes = ScopesField(
        choices=list(settings.SCOPES.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = Client
        fields = ("name", "scopes", "requests_per_second", "is_active")

    def clean_name(self) -> str:
        if not self.cleaned_data["name"]:
            raise forms.ValidationError("This field is required.")
        return str(self.cleaned_data["name"])


class ClientAdmin(DeletedAlone, ShopAdmin):
    """Deleted, a client's tokens end with it; its orders and movements keep its id."""

    form = ClientForm
    list_display = ("name", "id_to_copy", "scopes", "requests_per_second", "is_active", "last_token_at")
    list_filter = ("is_active",)
    search_fields = ("name", "client_id")
    readonly_fields = ("id_to_copy", "created", "last_token_at")
    actions_detail = ("rotate",)

    @admin.display(description="client id", ordering="client_id")
    def id_to_copy(self, client: Client) -> str:
        """Its 40 signs are one word, which may be wider than a phone."""
        return format_html('<span style="overflow-wrap: anywhere">{}</span>', client.client_id)

    def get_fields(self, request: HttpRequest, obj: Client | None = None) -> list[str]:
        fields = list(ClientForm.Meta.fields)
        return [*fields, *self.readonly_fields] if obj else fields[:-1]

    def get_readonly_fields(self, request: HttpRequest, obj: Client | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        if change:
            return obj.save(update_fields=[*form.changed_data, "updated"])
        told = form.cleaned_data
        client, obj.secret = create_client(
            name=told["name"], scopes=told["scopes"].split(), requests_per_second=told["requests_per_second"]
        )
        obj.pk, obj.client_id = client.pk, client.client_id

    def response_add(self, request: HttpRequest, obj: Client, post_url_continue: str | None = None) -> HttpResponse:
        log.info("client_created", new_client=obj.client_id)
        return self.secret_page(request, obj, obj.secret)

    def has_rotate_permission(self, request: HttpRequest, object_id: str) -> bool:
        client = self.get_object(request, object_id)
        return client is not None and self.has_change_permission(request, client)

    @action(description="New secret", url_path="rotate", permissions=["rotate"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = Client.objects.get(pk=object_id)
        if request.method == "POST":
            secret = rotate_secret(client)
            self.log_change(request, client, "Made a new secret.")
            log.warning("client_secret_rotated", of_client=client.client_id)
            return self.secret_page(request, client, secret)
        context = {
            **self.admin_site.each_context(request),
            "title": f"A new secret for {client}?",
            "text": "The old secret and the tokens that it got end: the program stands still until it has the new one.",
            "button": "Make a new secret",
            "back": reverse("admin:ecommerce_client_change", args=[client.pk]),
        }
        return render(request, "admin/question.html", context)

    @sensitive_variables()
    def secret_page(self, request: HttpRequest, client: Client, secret: str) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": str(client), "client": client, "secret": secret}
        return render(request, "admin/ecommerce/client/secret.html", context)
