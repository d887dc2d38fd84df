import logging
import os
import signal
import subprocess
import sys
import threading
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.py", "ecommerce.wsgi"]
WORKER = [sys.executable, "manage.py", "work"]


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
        sys.exit(serve(port))

    def say_where(self, address: str) -> None:
        places = {"API": "/", "Documentation": "/docs", "Reference": "/redoc", "Back office": "/admin/"}
        for name, path in places.items():
            self.stdout.write(f"  {name:<14} {address}{path}")
        if settings.API_OPEN == "all":
            self.stdout.write(self.style.ERROR("  The API is open to everybody who reaches this machine's loopback."))


def serve(port: str) -> int:
    """gunicorn, and the worker beside it, until gunicorn ends or a signal ends both. The exit code is gunicorn's."""
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ending.set())
    environment = os.environ | {"BIND_ADDRESS": "127.0.0.1", "PORT": port}
    # In sessions of their own they do not hear a terminal's Ctrl-C: gunicorn takes 30 s to end on two signals at once.
    server, worker = (
        subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, start_new_session=True)  # noqa: S603
        for command in (GUNICORN, WORKER)
    )
    while not ending.wait(timeout=0.2) and server.poll() is None:
        worker.poll()
    for process in (server, worker):
        process.terminate()
    worker.wait()
    return server.wait()
