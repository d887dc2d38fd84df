"""Making API clients. A secret is known once, to whoever made it; only its hash is kept."""

from collections.abc import Iterable

from django.db import transaction
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import AccessToken

from ecommerce.models import Client


def create_client(*, name: str, scopes: Iterable[str], requests_per_second: int | None = None) -> tuple[Client, str]:
    secret: str = generate_client_secret()
    client = Client.objects.create(
        name=name,
        scopes=" ".join(scopes),
        requests_per_second=requests_per_second,
        client_type=Client.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
    )
    return client, secret


@transaction.atomic
def rotate_secret(client: Client) -> str:
    """The old secret and every token that it got end, where a process remembers one within `TOKEN_MEMORY`."""
    secret: str = generate_client_secret()
    client.client_secret = secret
    client.save(update_fields=["client_secret", "updated"])
    AccessToken.objects.filter(application=client).delete()
    return secret
