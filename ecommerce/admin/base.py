from typing import Any

import structlog
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from ecommerce.database import FAULTS, is_database_fault, name_of
from ecommerce.errors import DomainError
from ecommerce.logging import client_name
from ecommerce.paginator import CappedPaginator
from ecommerce.people import names_of

log = structlog.get_logger(__name__)

REFUSALS = (DomainError, *FAULTS)


def sentence(refusal: Exception) -> str:
    """What staff read of a refusal. A bug is raised again."""
    if isinstance(refusal, DomainError):
        return str(refusal)
    if not is_database_fault(refusal):
        raise refusal
    log.warning("database_fault", error=name_of(refusal))
    return "The database is busy. Look whether it was done before you try again."


def staff_name(request: HttpRequest) -> str:
    """Who works here, as the books name them: `staff:<id>`."""
    return client_name(request) or ""


class ShopList(ChangeList):
    paginator: CappedPaginator
    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Nobody counts the rows that are filtered away, so Unfold is not to offer a number for them."""
        super().get_results(request)
        self.full_result_count = self.result_count
        if (self.show_all and self.can_show_all) or not self.multi_page:
            self.result_list = self.paginator.all_rows()


class ShopAdmin(ModelAdmin):
    paginator = CappedPaginator
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ShopList]:
        return ShopList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """An address or a selection that no database understands shows the whole list, as Django does for others.

        Only of a page that is looked at: what fails while an action is done is a bug, and stays one.
        """
        whole_list = HttpResponseRedirect(f"{request.path}?e=1")
        if not all(pk.isdecimal() for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return whole_list
        if request.method != "GET" or "e" in request.GET:
            return super().changelist_view(request, extra_context)
        try:
            return super().changelist_view(request, extra_context)
        except (ValueError, DataError):
            return whole_list


class ListOfWho(ShopList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        names = names_of(self.model_admin.done_by(row) for row in self.result_list)
        for row in self.result_list:
            row.who = names[self.model_admin.done_by(row)]


class NamesWho:
    """Rows that say who did it, as the books name them, have a column `who` with the name that people know."""

    who_column = "done_by"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ShopList]:
        return ListOfWho

    def done_by(self, row: Any) -> str:
        return str(getattr(row, self.who_column))

    @admin.display(description="by")
    def who(self, row: Any) -> str:
        """Of a list named already, with all of its page."""
        return str(row.who) if hasattr(row, "who") else names_of([self.done_by(row)])[self.done_by(row)]


class DeletedAlone:
    """The page that asks before it deletes names the row and nothing else: what hangs on it is nobody's to look at."""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        return [str(row) for row in objs], {}, set(), []


class ReadOnly:
    """Staff look at these rows; only the services write them."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class HiddenAdmin(ReadOnly, ShopAdmin):
    """Of tokens and grants: nobody has a use for these rows."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
