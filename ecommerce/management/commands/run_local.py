import logging
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "What `make run` does once the database is there: prepare the shop, say where it is, and serve it."

    def handle(self, **options: Any) -> None:
        port = settings.PORT
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise CommandError("PORT must be a number from 1 to 65535.")
        logging.disable(logging.INFO)  # the opening stock of the demo is no news
        call_command("migrate", verbosity=0)
        call_command("load_demo")
        call_command("ensure_owner", generate=True)
        self.say_where(f"http://127.0.0.1:{port}")
        self.stdout.flush()
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.py", "ecommerce.wsgi"]
        os.chdir(settings.BASE_DIR)
        os.execve(sys.executable, gunicorn, os.environ | {"BIND_ADDRESS": "127.0.0.1", "PORT": port})  # noqa: S606

    def say_where(self, address: str) -> None:
        places = {"API": "/", "Documentation": "/docs", "Reference": "/redoc", "Back office": "/admin/"}
        for name, path in places.items():
            self.stdout.write(f"  {name:<14} {address}{path}")
        if settings.API_OPEN == "all":
            self.stdout.write(self.style.ERROR("  The API is open to everybody who reaches this machine's loopback."))
