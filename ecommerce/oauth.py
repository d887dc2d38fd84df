"""What the shop does otherwise than the OAuth toolkit; `OAUTH2_PROVIDER` in the settings names it."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import DataError
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider import views
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import SettingsScopes

from ecommerce.api import problems
from ecommerce.models import Client


class ClientValidator(OAuth2Validator):
    def authenticate_client(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return super().authenticate_client(*args, **kwargs)
        except (DataError, ValueError):  # an id with a NUL, or a header that is not ASCII
            return False

    def validate_scopes(self, client_id: str, scopes: list[str], client: Client, request: Any, **kwargs: Any) -> bool:
        if scopes == [""]:  # as Swagger UI sends it where nothing is ticked
            request.scopes = scopes = self.get_default_scopes(client_id, request)
        return bool(super().validate_scopes(client_id, scopes, client, request, **kwargs))

    def _save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        super()._save_bearer_token(token, request, *args, **kwargs)
        Client.objects.filter(pk=request.client.pk).update(last_token_at=Now())


class ClientScopes(SettingsScopes):
    """A client gets the scopes it was made with; a token that asks for none of them has them all."""

    def get_available_scopes(self, application: Client | None = None, *args: Any, **kwargs: Any) -> list[str]:
        return application.scopes.split() if application else list(settings.SCOPES)

    get_default_scopes = get_available_scopes


class ClientSecretHasher(PBKDF2PasswordHasher):
    """For secrets of 128 random characters: nobody guesses those, so one round is enough and a token is cheap."""

    algorithm = "client_secret"
    iterations = 1


@method_decorator(csrf_exempt, name="dispatch")
class AnswersInJSON:
    """The toolkit labels some of its refusals as pages, and has none for another method."""

    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        if response.content.startswith(b'{"error'):
            response["Content-Type"] = "application/json"
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return problems.method_not_allowed(request, ["POST"])


class TokenView(AnswersInJSON, views.TokenView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Without the toolkit's way to the grant for devices, which is not served here."""
        return self.authorization_flow_token_response(request)


class RevokeTokenView(AnswersInJSON, views.RevokeTokenView):
    pass
