from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import models
from oauth2_provider.models import AbstractApplication


class Client(AbstractApplication):
    """A program that calls the API. The books know it as `app:<client id>`."""

    scopes = models.CharField(max_length=500, blank=True, help_text="What it may ask for, separated by spaces.")
    requests_per_second = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: as many as the shop allows any client. 0: no limit."
    )

    is_active = models.BooleanField(
        "active", default=True, db_default=True, help_text="Otherwise nobody gets in with it."
    )
    last_token_at = models.DateTimeField("last token", null=True, blank=True, editable=False)

    class Meta(AbstractApplication.Meta):
        verbose_name = "API client"
        constraints = (models.UniqueConstraint(name="client_name_is_unique", fields=["name"]),)

    def __str__(self) -> str:
        return self.name or self.client_id

    def is_usable(self, request: object) -> bool:
        return self.is_active

    def clean(self) -> None:
        super().clean()
        if unknown := set(self.scopes.split()) - set(settings.SCOPES):
            raise ValidationError({"scopes": f"There is no such scope: {', '.join(sorted(unknown))}"})


class OfferedPermission(models.Model):
    """A permission that `migrate` has given to a role once, whatever became of it."""

    role = models.CharField(max_length=150)
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE)

    class Meta:
        constraints = (models.UniqueConstraint(name="permission_is_offered_once", fields=["role", "permission"]),)

    def __str__(self) -> str:
        return f"{self.role}: {self.permission}"
