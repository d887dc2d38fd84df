"""The pages of an import: upload, preview, outcome, undoing."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from catalog.errors import ImportOutdated
from catalog.importing.errors import WrongFile
from catalog.importing.forms import UploadForm
from catalog.importing.previewing import NOT_READ, preview, preview_again
from catalog.importing.showing import counts_of, facts_of, kinds_of, shown_rows
from catalog.models import ImportRow, ProductImport
from catalog.services import apply_import, discard_preview, undo_import
from ecommerce.admin import REFUSALS, NamesWho, ReadOnly, ShopAdmin, sentence, staff_name
from ecommerce.downloads import Downloads

ROWS_OF_A_PAGE = 100
State = ProductImport.State
Kind = ImportRow.Kind
PERMISSIONS = ("catalog.add_product", "catalog.change_product")


def may_import(request: HttpRequest) -> bool:
    return bool(request.user.has_perms(PERMISSIONS))


class ImportsAndDownloads(Downloads):
    """The product list leads to both."""

    def list_links(self, request: HttpRequest) -> list[dict[str, Any]]:
        link = {"title": "Import", "icon": "upload", "path": reverse("admin:catalog_productimport_add")}
        return [*([link] if may_import(request) else []), *super().list_links(request)]


@admin.register(ProductImport)
class ProductImportAdmin(NamesWho, ReadOnly, ShopAdmin):
    list_display = ("file_name", "format", "state", "rows_by_kind", "who", "created_at", "applied_at", "undone_at")
    list_filter = ("state", "format")
    ordering = ("-id",)

    @admin.display(description="rows")
    def rows_by_kind(self, product_import: ProductImport) -> str:
        return counts_of(product_import)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_import(request)

    def has_view_permission(self, request: HttpRequest, obj: ProductImport | None = None) -> bool:
        return may_import(request)

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return may_import(request)

    def add_view(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                shown = preview(file.name, file.read(), done_by=staff_name(request))
            except WrongFile as reason:
                form.add_error("file", str(reason))
            else:
                return self.page_of(shown)
        return render(request, "admin/catalog/productimport/upload.html", self.context(request, "Import", form=form))

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **__: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not object_id.isdecimal() or len(object_id) > 18:
            return HttpResponseRedirect(reverse("admin:catalog_productimport_changelist"))
        product_import = get_object_or_404(ProductImport, pk=object_id)
        if request.method == "POST":
            return self.moved(request, product_import)
        return self.shown(request, product_import)

    def context(self, request: HttpRequest, title: str, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}

    def shown(self, request: HttpRequest, product_import: ProductImport) -> HttpResponse:
        kinds = kinds_of(product_import)
        kind = request.GET.get("kind") if request.GET.get("kind") in Kind.values else kinds[0][0] if kinds else None
        rows = product_import.rows.filter(kind=kind).order_by("line")
        page = Paginator(rows, ROWS_OF_A_PAGE).get_page(request.GET.get("page"))
        others = ProductImport.objects.filter(sha256=product_import.sha256, state=State.APPLIED)
        context = self.context(
            request,
            product_import.file_name,
            product_import=product_import,
            facts=facts_of(product_import),
            not_read=product_import.read_as.get(NOT_READ),
            kinds=kinds,
            kind=kind,
            headers=["Line", "Product", "Error" if kind == Kind.REFUSED else "What changes"],
            page=page,
            rows=shown_rows(page.object_list),
            same_file=others.exclude(pk=product_import.pk).order_by("-pk").first(),
            changes=sum(product_import.counts[kind] for kind in (Kind.CREATED, Kind.UPDATED, Kind.COUNTED)),
            refused=product_import.counts[Kind.REFUSED],
            may_move=self.may_move(request, product_import),
        )
        return render(request, "admin/catalog/productimport/import.html", context)

    def may_move(self, request: HttpRequest, product_import: ProductImport) -> bool:
        counts = product_import.format == ProductImport.Format.INVENTORY
        return not counts or bool(request.user.has_perm("catalog.change_stock"))

    def moved(self, request: HttpRequest, product_import: ProductImport) -> HttpResponse:
        if not self.may_move(request, product_import):
            raise PermissionDenied
        moves: dict[str, Callable[[HttpRequest, ProductImport], None]] = {
            "apply": self.apply,
            "apply_good_rows": self.apply_good_rows,
            "undo": self.undo,
            "discard": self.discard,
        }
        move = moves.get(request.POST.get("move", ""))
        try:
            if move:
                move(request, product_import)
        except ImportOutdated as refusal:
            self.message_user(request, sentence(refusal), messages.WARNING)
            product_import = preview_again(product_import, done_by=staff_name(request))
        except REFUSALS as refusal:
            self.message_user(request, sentence(refusal), messages.ERROR)
        return self.page_of(product_import)

    def page_of(self, product_import: ProductImport) -> HttpResponse:
        if not ProductImport.objects.filter(pk=product_import.pk).exists():
            return HttpResponseRedirect(reverse("admin:catalog_productimport_changelist"))
        return HttpResponseRedirect(reverse("admin:catalog_productimport_change", args=[product_import.pk]))

    def apply(self, request: HttpRequest, product_import: ProductImport, *, good_rows_only: bool = False) -> None:
        apply_import(product_import.pk, done_by=staff_name(request), good_rows_only=good_rows_only)
        self.message_user(request, "Imported.")

    def apply_good_rows(self, request: HttpRequest, product_import: ProductImport) -> None:
        self.apply(request, product_import, good_rows_only=True)

    def undo(self, request: HttpRequest, product_import: ProductImport) -> None:
        undone = undo_import(product_import.pk, done_by=staff_name(request))
        kept = f" {len(undone.report):,} things had to stay: see below." if undone.report else ""
        self.message_user(request, f"The import is taken back.{kept}", messages.WARNING if kept else messages.SUCCESS)

    def discard(self, request: HttpRequest, product_import: ProductImport) -> None:
        discard_preview(product_import.pk)
        self.message_user(request, "The preview is gone. Nothing was changed.")
