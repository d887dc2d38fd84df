from django.db import models
from oauth2_provider.models import AbstractApplication


class Client(AbstractApplication):
    """A program that calls the API. The books know it as `app:<client id>`."""

    scopes = models.CharField(max_length=500, blank=True, help_text="What it may ask for, separated by spaces.")

    class Meta(AbstractApplication.Meta):
        verbose_name = "API client"

    def __str__(self) -> str:
        return self.name or self.client_id
