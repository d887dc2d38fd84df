import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import connection, transaction


class Command(BaseCommand):
    help = "Make the first staff user, from OWNER_EMAIL and OWNER_PASSWORD, where there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--generate", action="store_true", help="without these variables: make the user owner, print its password"
        )

    def handle(self, *, generate: bool, **options: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE auth_user IN SHARE ROW EXCLUSIVE MODE")  # instances may start together
            if not get_user_model().objects.filter(is_staff=True).exists():
                self.make_owner(generate=generate)

    def make_owner(self, *, generate: bool) -> None:
        email, password = settings.OWNER_EMAIL, settings.OWNER_PASSWORD
        if email:
            check(email, password)
            username = email
        elif generate:
            username, password = "owner", secrets.token_urlsafe(12)
            self.stdout.write(f"Staff user: {username}   password (shown once): {password}")
        else:
            self.stdout.write("There is no staff user yet: set OWNER_EMAIL and OWNER_PASSWORD.")
            return
        get_user_model().objects.create_superuser(username, email, password)


def check(email: str, password: str) -> None:
    try:
        validate_email(email)
        validate_password(password)
    except ValidationError as error:
        raise CommandError(f"OWNER_EMAIL or OWNER_PASSWORD: {' '.join(error.messages)}") from None
