"""Every environment variable is read here, once; README.md lists them.

Secrets and addresses have no default. Every other default is the one that is safe in production; `LOCAL=1`, set by
`make` alone, relaxes what a developer's machine needs. `ecommerce.checks` refuses to serve with unsafe values.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from corsheaders.defaults import default_headers
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured

from ecommerce import appearance, logging

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def whole_number(name: str, *, default: int) -> int:
    text = env.str(name, default=str(default)).strip()
    if not (text.isascii() and text.isdecimal()):
        raise ImproperlyConfigured(f"{name} must be a whole number.")
    return int(text)


def number_of_proxies(name: str) -> int:
    """`true` says one."""
    word = env.str(name, default="0").strip().lower()
    if word in env.BOOLEAN_TRUE_STRINGS:
        return 1
    return 0 if word in ("", "false", "off", "no") else whole_number(name, default=0)


def names(name: str, *, default: Sequence[str] = ()) -> list[str]:
    return [item.strip() for item in env.list(name, default=list(default))]


LOCAL = env.bool("LOCAL", default=False)
DEBUG = env.bool("DEBUG", default=False)

# The shop

SHOP_NAME = env.str("SHOP_NAME", default="E-commerce platform")
SHOP_CURRENCY = env.str("SHOP_CURRENCY", default="USD")
SHOP_TIME_ZONE = env.str("SHOP_TIME_ZONE", default="UTC")
OWNER_EMAIL = env.str("OWNER_EMAIL", default="")
OWNER_PASSWORD = env.str("OWNER_PASSWORD", default="")

# none: nobody calls the API without being known; classic: the classic calls are open; all: everything is (local only)
API_OPEN = env.str("API_OPEN", default="all" if LOCAL else "none")

TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = False

# Who may reach it, and how

SECRET_KEY = env.str("SECRET_KEY", default="known to everybody")
RENDER_EXTERNAL_HOSTNAME = env.str("RENDER_EXTERNAL_HOSTNAME", default="")
ALLOWED_HOSTS = names("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if LOCAL else [])
CSRF_TRUSTED_ORIGINS = names("CSRF_TRUSTED_ORIGINS")
if RENDER_EXTERNAL_HOSTNAME:
    ALLOWED_HOSTS.append(RENDER_EXTERNAL_HOSTNAME)
    CSRF_TRUSTED_ORIGINS.append(f"https://{RENDER_EXTERNAL_HOSTNAME}")

SCOPES = {
    "catalog:read": "See products and stock",
    "catalog:write": "Create and change products, move stock",
    "orders:read": "See its own orders",
    "orders:read_all": "See the orders of every client",
    "orders:write": "Place and move orders",
}
OAUTH2_PROVIDER_APPLICATION_MODEL = "ecommerce.Client"
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",  # client credentials, and no other grant
    "OAUTH2_VALIDATOR_CLASS": "ecommerce.oauth.ClientValidator",
    "SCOPES": SCOPES,
    "SCOPES_BACKEND_CLASS": "ecommerce.oauth.ClientScopes",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "CLIENT_SECRET_HASHER": "client_secret",
    "APPLICATION_ADMIN_CLASS": "ecommerce.admin.clients.ClientAdmin",
    **{
        f"{kind}_ADMIN_CLASS": "ecommerce.admin.HiddenAdmin"
        for kind in ("ACCESS_TOKEN", "GRANT", "ID_TOKEN", "REFRESH_TOKEN")
    },
    # RFC 9700: nothing of what it advises against, though most of it is about grants that are not served here
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    **{
        f"COMPLIANT_BCP_RFC9700_{advice}": True
        for advice in (
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "PKCE_REQUIRED",
            "REDIRECT_URI_MATCHING",
            "REDIRECT_URI_SCHEME",
            "REFRESH_TOKEN",
            "TOKEN_STORAGE",
        )
    },
}
PASSWORD_HASHERS = [*global_settings.PASSWORD_HASHERS, "ecommerce.oauth.ClientSecretHasher"]

TRUST_PROXY = number_of_proxies("TRUST_PROXY")
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Browsers, from pages of these origins. Never with credentials: a session is for our own pages.
CORS_ALLOWED_ORIGINS = names("CORS_ALLOWED_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = LOCAL
CORS_URLS_REGEX = r"^/((api|product|order|o)/|openapi\.json$)"
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "if-match", "if-none-match", "x-request-id"]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
]

TOKEN_MEMORY = timedelta(seconds=10)  # of each process: so long may a token be used after it was revoked

# Of a client in a second, and of an address that is nobody known in a minute; 0: no limit
RATE_LIMIT = whole_number("RATE_LIMIT", default=100)
ADDRESS_RATE_LIMIT = whole_number("ADDRESS_RATE_LIMIT", default=60)

# Staff. Whoever fails this often waits: with one name from one address, and with one name from anywhere.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "ecommerce.staff.backends.StaffBackend"]
AXES_HANDLER = "ecommerce.staff.lockout.LoginGuard"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], ["username"]]
AXES_FAILURE_LIMIT = 5
FAILURE_LIMIT_ANYWHERE = 50
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "ecommerce.staff.lockout.client_address"
AXES_LOCKOUT_CALLABLE = "ecommerce.staff.lockout.locked_page"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "csrfmiddlewaretoken"]
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=False)
OTP_TOTP_ISSUER = SHOP_NAME

SESSION_COOKIE_AGE = int(timedelta(hours=8).total_seconds())  # without a use
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LOCAL
SESSION_COOKIE_NAME = "sessionid" if LOCAL else "__Host-sessionid"
CSRF_COOKIE_NAME = "csrftoken" if LOCAL else "__Host-csrftoken"
SECURE_HSTS_SECONDS = 0 if LOCAL else int(timedelta(days=365).total_seconds())
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # the shop does not speak for its subdomains,
    "security.W021",  # nor for the lists of browsers
    "security.W008",  # a redirected POST loses its body; the proxy redirects people
    "security.W009",  # Render makes keys of 44 characters; ecommerce.checks has its own rule
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
BODY_LIMIT = DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# The server and its database

WEB_CONCURRENCY = whole_number("WEB_CONCURRENCY", default=2)
WEB_THREADS = whole_number("WEB_THREADS", default=4)
BIND_ADDRESS = env.str("BIND_ADDRESS", default="0.0.0.0")
PORT = env.str("PORT", default="8000")

# Counters of calls: in a Redis that all processes share, or else in each process
IN_PROCESS: dict[str, Any] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "OPTIONS": {"MAX_ENTRIES": 10_000},
}
CACHE_URL = env.str("CACHE_URL", default="")
REDIS: dict[str, Any] = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": [CACHE_URL],
    "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
}
CACHES: dict[str, dict[str, Any]] = {
    "shared": REDIS if CACHE_URL else IN_PROCESS,
    "in_process": IN_PROCESS,
    # What a library would keep here is old for whoever looks next: Unfold its search results, for five minutes.
    "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

DATABASE: dict[str, Any] = {"ENGINE": "django.db.backends.postgresql", "NAME": ""}
if env.str("DATABASE_URL", default=""):
    DATABASE = env.db_url("DATABASE_URL")
if DATABASE["ENGINE"] == "django.db.backends.postgresql":
    DATABASE["ENGINE"] = "ecommerce.postgresql"
# A pooler that lends a connection for one transaction, such as PgBouncer, takes no limits with it: the role has them.
DATABASE_POOLER = env.bool("DATABASE_POOLER", default=False)
OPTIONS_OF_URL = DATABASE.get("OPTIONS", {}).get("options", "")
# The role's limits, where it has some, are for requests.
LIMITS_FOR_COMMANDS = {"lock_timeout": "2s", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
LIMITS_FOR_WEB = {"lock_timeout": "2s", "statement_timeout": "5s", "idle_in_transaction_session_timeout": "5s"}


def connection_options(limits: dict[str, str]) -> dict[str, object]:
    """libpq's own timeouts, so that a silent network is an error within seconds, and the server's limits."""
    timeouts: dict[str, object] = {
        "connect_timeout": 3,
        "keepalives_idle": 3,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "tcp_user_timeout": 7000,
    }
    if DATABASE_POOLER:
        return timeouts
    # Of what is prepared (see ecommerce/prepared.py). To compile the statement of a page takes longer than to run it.
    in_force = limits | {"plan_cache_mode": "force_generic_plan", "jit": "off"}
    options = " ".join([OPTIONS_OF_URL, *(f"-c {name}={value}" for name, value in in_force.items())])
    return timeouts | {"options": options}


DATABASE["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLER
DATABASE["OPTIONS"] = DATABASE.get("OPTIONS", {}) | connection_options(LIMITS_FOR_COMMANDS)
DATABASES: dict[str, dict[str, Any]] = {"default": DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# wsgi.py puts these in force, so that they hold for requests and not for a long command. A thread keeps its connection.
WEB_DATABASE = {
    "OPTIONS": DATABASE["OPTIONS"] | connection_options(LIMITS_FOR_WEB),
    "CONN_MAX_AGE": None,
    "CONN_HEALTH_CHECKS": True,
}

# The machinery

ROOT_URLCONF = "ecommerce.urls"
WSGI_APPLICATION = "ecommerce.wsgi.application"
APPEND_SLASH = False
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

INSTALLED_APPS = [
    "ecommerce",
    "catalog",
    "orders",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "ecommerce.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "rest_framework",
    "corsheaders",
    "django_filters",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "ecommerce.logging.request_log",
    "ecommerce.health.answer_first",
    "ecommerce.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ecommerce.api.conditions.without_length",
    "django.middleware.common.CommonMiddleware",
    "ecommerce.middleware.shortcut_begins",
    "ecommerce.csp.PolicyByPlace",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "ecommerce.staff.sessions.keep_alive",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "ecommerce.clock.shop_time",
    "axes.middleware.AxesMiddleware",
    "ecommerce.middleware.shortcut_ends",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

STATIC_URL = "/static/"
STATIC_ROOT = None if LOCAL else env.str("STATIC_ROOT", default="") or BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = LOCAL
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["png", "jpg", "gif", "webp", "woff", "woff2", "gz", "br", "zip", "map"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if LOCAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

UNFOLD: dict[str, Any] = appearance.UNFOLD

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
    raise ImproperlyConfigured("LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
LOG_FORMAT = env.str("LOG_FORMAT", default="text" if LOCAL else "json")
LOGGING = logging.configure(as_json=LOG_FORMAT == "json", level=LOG_LEVEL)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "ecommerce.api.authentication.BearerAuthentication",
        "ecommerce.api.authentication.StaffAuthentication",
        "ecommerce.api.authentication.OpenCallerAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["ecommerce.api.permissions.HasAccess"],
    "DEFAULT_THROTTLE_CLASSES": ["ecommerce.api.throttling.ClientThrottle"],
    "DEFAULT_PARSER_CLASSES": ["ecommerce.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["ecommerce.api.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "ecommerce.api.renderers.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "ecommerce.api.problems.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "E-commerce platform",
    "DESCRIPTION": "Products, stock and orders of a shop that never oversells.\n\n"
    "A program gets a token by `get_token`. "
    "Every refusal is a `Problem` with a stable `code`, and changed nothing. Any request may be sent again: with its "
    "`Idempotency-Key`, or with an `If-Match`.",
    "LICENSE": {"name": "MIT", "url": "https://opensource.org/license/mit"},
    "TAGS": [
        {"name": "products", "description": "What is sold, and the ledger of its stock."},
        {"name": "stock", "description": "Units that arrive, are counted or adjusted."},
        {"name": "orders", "description": "What was bought, from the hold to the parcel or the return."},
        {"name": "tokens", "description": "Access tokens for programs."},
        {"name": "classic", "description": "Three calls, for programs that were written for them."},
        {"name": "service", "description": "The server itself."},
    ],
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.0.3",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"displayRequestDuration": True, "tryItOutEnabled": True},
    "REDOC_UI_SETTINGS": {
        "theme": {"typography": {"fontFamily": "system-ui, sans-serif", "headings": {"fontFamily": "inherit"}}}
    },
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "oauth2": {
                "type": "oauth2",
                "description": "For programs.",
                "flows": {"clientCredentials": {"tokenUrl": "/o/token/", "scopes": SCOPES}},
            },
            "client": {"type": "http", "scheme": "basic", "description": "A client's id and secret, for its token."},
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": SESSION_COOKIE_NAME,
                "description": "For staff: the session of the back office.",
            },
            "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRFToken", "description": "With a session."},
        }
    },
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ProblemCode": "ecommerce.api.schema.PROBLEM_CODES",
        "OrderStatus": "orders.models.Order.Status",
        "OrderEventKind": "orders.models.OrderEvent.Kind",
        "MovementKind": "catalog.models.StockMovement.Kind",
        "StockMoveKind": ["received", "adjusted", "counted"],
    },
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "format": "uuid"}},
    "PREPROCESSING_HOOKS": ["ecommerce.api.openapi.one_path_each"],
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "ecommerce.api.openapi.complete"],
}
