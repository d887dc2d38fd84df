from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.errors import ProductChanged
from catalog.filters import MovementFilter, ProductFilter
from catalog.models import Product, StockMovement
from catalog.serializers import MovementSerializer, NewProductSerializer, ProductChangesSerializer, ProductSerializer
from catalog.services import Cause, create_product, remove_product, update_product
from catalog.views import documented
from catalog.views.ledger import shown_movements
from ecommerce.api.authentication import caller
from ecommerce.api.conditions import answer_if_changed, etag, wanted_version
from ecommerce.api.filters import StrictFilterBackend
from ecommerce.api.pagination import KeysetPagination
from ecommerce.api.serializers import checked
from ecommerce.api.shared import shown, shown_each
from ecommerce.api.viewsets import StrictViewSet
from ecommerce.errors import DomainError


class ProductViewSet(StrictViewSet):
    access = {
        "list": ("catalog:read", "catalog.view_product"),
        "retrieve": ("catalog:read", "catalog.view_product"),
        "create": ("catalog:write", "catalog.add_product"),
        "partial_update": ("catalog:write", "catalog.change_product"),
        "destroy": ("catalog:write", "catalog.delete_product"),
    }
    queryset = Product.objects.as_shown()
    serializer_class = ProductSerializer
    filter_backends = [StrictFilterBackend]
    filterset_class = ProductFilter
    pagination_class = KeysetPagination
    orderings = {"number": "pk", "name": "name", "price": "price", "updated_at": "updated_at"}
    default_ordering = "number"

    @extend_schema(**documented.LIST_PRODUCTS)
    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(shown_each(ProductSerializer, page))

    @extend_schema(**documented.READ_PRODUCT)
    def retrieve(self, request: Request, uuid: UUID) -> Response:
        product = self.named(uuid)
        return answer_if_changed(request, shown(ProductSerializer, product), tag=tag_of(product))

    @extend_schema(**documented.CREATE_PRODUCT)
    def create(self, request: Request) -> Response:
        wanted = checked(NewProductSerializer(data=request.data))
        product = create_product(**wanted, cause=Cause(done_by=caller(request)))
        return self.shown(product.uuid, status=201)

    @extend_schema(**documented.CHANGE_PRODUCT)
    def partial_update(self, request: Request, uuid: UUID) -> Response:
        product = self.named(uuid)
        changes = checked(ProductChangesSerializer(data=request.data, partial=True))
        update_product(product.id, changes, version=wanted_version(request), cause=Cause(done_by=caller(request)))
        return self.shown(uuid)

    @extend_schema(**documented.DELETE_PRODUCT)
    def destroy(self, request: Request, uuid: UUID) -> Response:
        cause = Cause(done_by=caller(request))
        was_deleted = remove_product(self.named(uuid).id, version=wanted_version(request), cause=cause)
        return Response(status=204) if was_deleted else self.shown(uuid)

    def named(self, uuid: UUID) -> Any:
        return get_object_or_404(self.get_queryset(), uuid=uuid)

    def shown(self, uuid: UUID, *, status: int = 200) -> Response:
        product = self.named(uuid)
        headers = {"ETag": tag_of(product)}
        if status == 201:
            headers["Location"] = self.request.build_absolute_uri(f"/api/v1/products/{uuid}/")
        return Response(shown(ProductSerializer, product), status=status, headers=headers)

    def told(self, error: DomainError) -> dict[str, Any]:
        """Whoever changes a product that has changed meanwhile is shown what it is now."""
        if isinstance(error, ProductChanged):
            return {"current": self.get_serializer(self.named(self.kwargs["uuid"])).data}
        return error.data()


def tag_of(product: Any) -> str:
    """Its stock is part of what is shown, but no reason to refuse a change of its fields."""
    return etag(product.version, product.available, product.committed)


class MovementViewSet(StrictViewSet):
    """The ledger of one product."""

    access = {"list": ("catalog:read", "catalog.view_stockmovement")}
    queryset = StockMovement.objects.all()
    serializer_class = MovementSerializer
    filter_backends = [StrictFilterBackend]
    filterset_class = MovementFilter
    pagination_class = KeysetPagination
    orderings = {"id": "pk"}
    default_ordering = "-id"

    @extend_schema(**documented.LIST_MOVEMENTS)
    def list(self, request: Request, uuid: UUID) -> Response:
        product = get_object_or_404(Product.objects.with_stock(), uuid=uuid)
        movements: Any = self.filter_queryset(StockMovement.objects.of(product))
        stock = movements.balance() if "as_of" in request.query_params else product.stock
        page = self.paginate_queryset(movements)
        answer = self.get_paginated_response(shown_movements(request, page or []))
        answer.data |= {"stock": stock.available, "committed": stock.committed}
        return answer
