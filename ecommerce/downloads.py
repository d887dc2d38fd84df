"""Lists of the back office that can be taken away as a file, filtered as they are looked at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import structlog
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin

from ecommerce.exporting import csv_response, xlsx_response
from ecommerce.logging import client_name

log = structlog.get_logger(__name__)

NOT_FILTERS = {"p", "o", "e", "all"}
WRITERS = {"csv": csv_response, "xlsx": xlsx_response}
MAX_XLSX = 20_000  # a workbook is finished before its first byte can be sent, which takes seconds


@dataclass(frozen=True, kw_only=True)
class Download:
    """`rows` makes the rows of the file, cells in the order of `columns`, from the rows of the list."""

    title: str
    columns: Sequence[str]
    rows: Callable[[QuerySet[Any]], Iterator[list[Any]]]
    formats: Sequence[str] = ("csv",)


class Downloads(ModelAdmin):
    downloads: Mapping[str, Download] = {}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download_view)
        return [path("download/<slug:name>.<slug:form>", view, name=self.download_page), *super().get_urls()]

    @property
    def list_page(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    @property
    def download_page(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_download"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "actions_list" in response.context_data:
            response.context_data["actions_list"] += self.list_links(request)
        return response

    def list_links(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The menu beside the button that adds a row."""
        filters = urlencode(
            [(name, value) for name, values in request.GET.lists() if name not in NOT_FILTERS for value in values]
        )
        items = [
            {
                "title": f"{download.title} ({form.upper()})",
                "path": f"{reverse(f'admin:{self.download_page}', args=[name, form])}?{filters}",
            }
            for name, download in self.downloads.items()
            for form in download.formats
        ]
        return [{"title": "Export", "icon": "download", "method_name": "export", "items": items}]

    def download_view(self, request: HttpRequest, name: str, form: str) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        download = self.downloads.get(name)
        if download is None or form not in download.formats:
            raise Http404
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except (IncorrectLookupParameters, ValueError, DataError):
            return HttpResponseRedirect(f"{self.list_page}?e=1")
        if form == "xlsx" and found.order_by()[: MAX_XLSX + 1].count() > MAX_XLSX:
            self.message_user(request, f"More than {MAX_XLSX:,} rows: take them as CSV.", messages.WARNING)
            return HttpResponseRedirect(f"{self.list_page}?{request.GET.urlencode()}")
        log.info("exported", list=name, format=form, filtered=bool(request.GET), done_by=client_name(request))
        file_name = f"{name}-{timezone.localtime():%Y-%m-%d-%H%M}"
        return WRITERS[form](file_name, download.columns, download.rows(found))
