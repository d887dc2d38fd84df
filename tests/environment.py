"""The environment variables of the project, and an environment without them for a process of its own."""

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def variables_read() -> set[str]:
    return set(
        re.findall(
            r'(?:env\.\w+|names|whole_number|number_of_proxies)\(\s*"([A-Z_]+)"',
            (ROOT / "ecommerce/settings.py").read_text(),
        )
    )


def clean_environment() -> dict[str, str]:
    ours = variables_read() | {"DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in ours}
