from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.listing import classic_products
from catalog.serializers import ClassicNewProductSerializer, ClassicPageSerializer, ClassicProductSerializer
from catalog.services import Cause, create_product
from ecommerce.api.authentication import caller
from ecommerce.api.parameters import read_parameters
from ecommerce.api.schema import WITH_A_BODY, needs, problems
from ecommerce.api.shared import shown, validated
from ecommerce.api.viewsets import ApiViewSet

NEW_LAMP = {"name": "Lamp", "description": "Warm light, brass foot", "price": 19.99, "stock": 10}
LAMP = {"id": 1} | NEW_LAMP


class ClassicProductViewSet(ApiViewSet):
    contract = "classic"
    access = {
        "list": ("catalog:read", "catalog.view_product"),
        "create": ("catalog:write", "catalog.add_product"),
    }
    serializer_class = ClassicProductSerializer

    @extend_schema(
        operation_id="classic_list_products",
        summary="List products",
        description="Products on sale, in the order of their ids.",
        tags=["classic"],
        auth=needs("catalog:read"),
        parameters=[ClassicPageSerializer],
        responses={200: ClassicProductSerializer(many=True)} | problems("invalid", contract=contract),
        examples=[OpenApiExample("products", [LAMP], response_only=True, status_codes=["200"])],
    )
    def list(self, request: Request) -> Response:
        page = read_parameters(ClassicPageSerializer, request)
        return Response(classic_products(skip=page["skip"], limit=page["limit"]))

    @extend_schema(
        operation_id="classic_create_product",
        summary="Create a product",
        description="The stock it opens with is the first row of its ledger.",
        tags=["classic"],
        auth=needs("catalog:write"),
        request=ClassicNewProductSerializer,
        responses={200: ClassicProductSerializer} | problems(*WITH_A_BODY, contract=contract),
        examples=[
            OpenApiExample("new product", NEW_LAMP, request_only=True),
            OpenApiExample("product", LAMP, response_only=True, status_codes=["200"]),
        ],
    )
    def create(self, request: Request) -> Response:
        wanted = validated(ClassicNewProductSerializer, request.data)
        product = create_product(**wanted, cause=Cause(done_by=caller(request)))
        return Response(shown(ClassicProductSerializer, product))
