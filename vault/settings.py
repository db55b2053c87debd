"""Settings, read once from the environment; every variable is optional on a first start.

DATABASE_URL        PostgreSQL of the books; unset: the embedded server that bin/up starts
USAGE_DATABASE_URL  PostgreSQL of the usage store; unset: the books' database
REDIS_URL           cache and rate limits; unset: the database caches
VAULT_HOME          where the embedded server, documents, mail and secrets live (default: var/)
VAULT_SECRET_KEY    signing key; unset: the file secret_key in VAULT_HOME
VAULT_USAGE_MONTHS  months of events that stay in the usage store before they may be archived (default: 25)
VAULT_WEBHOOKS_PUBLIC_ONLY                         whether webhooks may be private addresses
VAULT_FEEDS_PUBLIC_ONLY, VAULT_FEED_TOKEN_<SOURCE>  whether feeds may be private; the token that a feed is read with
VAULT_DEBUG, VAULT_HOSTS, VAULT_HTTPS, EMAIL_URL, VAULT_BASE_URL
"""

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from core import embedded
from vault import sweeps

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
HOME = Path(env.str("VAULT_HOME", default=str(BASE_DIR / "var")))

DEBUG = env.bool("VAULT_DEBUG", default=False)
HTTPS = env.bool("VAULT_HTTPS", default=False)
SECRET_KEY = env.str("VAULT_SECRET_KEY", default="") or embedded.secret_key(HOME)
ALLOWED_HOSTS = env.list("VAULT_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"])
BASE_URL = env.str("VAULT_BASE_URL", default="http://127.0.0.1:8000")

INSTALLED_APPS = [
    "vault.apps.VaultConfig",
    "core",
    "accounts",
    "usage",
    "billing",
    "collections_",
    "insights",
    "monitoring",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "django_q",
    "django_tables2",
    "django_filters",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "core.middleware.RequestIdMiddleware",
    "core.middleware.NoNulMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "usage.middleware.IntakeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.middleware.PrivateCacheMiddleware",
    "vault.middleware.MistakeMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "vault.urls"
WSGI_APPLICATION = "vault.wsgi.application"
ASGI_APPLICATION = "vault.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "vault.navigation.context",
            ]
        },
    }
]


def database(url: str) -> dict[str, Any]:
    """Return Django's description of one PostgreSQL database, with time-outs that free every lock."""
    if not url.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured(
            "DATABASE_URL and USAGE_DATABASE_URL name a PostgreSQL: postgres://USER:PASSWORD@HOST:PORT/NAME"
        )
    config: dict[str, Any] = env.db_url_config(url)
    options = "-c TimeZone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
    config |= {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
    config["OPTIONS"] = {"connect_timeout": 5, "options": options} | config.get("OPTIONS", {})
    config["TEST"] = {"NAME": env.str("VAULT_TEST_DB", default="test_vault")}
    return config


DATABASES = {"default": database(env.str("DATABASE_URL", default="") or embedded.url(HOME))}
if env.str("USAGE_DATABASE_URL", default=""):
    DATABASES["usage"] = database(env.str("USAGE_DATABASE_URL"))
DATABASE_ROUTERS = ["core.databases.UsageRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "core_cache"},
    # django-q2 writes statistics here each second that we do not read: heartbeats are told by tasks.
    "queue": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
AXES_USERNAME_FORM_FIELD = "username"  # the form's name for the address; otherwise axes counts nobody's failures
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = HOME / "media"
EMAIL_BACKEND = "core.mailing.FileOutbox"
EMAIL_FILE_PATH = HOME / "outbox"
DEFAULT_FROM_EMAIL = "billing@platform.example"
EMAIL_TIMEOUT = 20  # seconds; a server that does not answer must not outlast the lease
if env.str("EMAIL_URL", default=""):
    vars().update(env.email_url("EMAIL_URL"))

DATA_UPLOAD_MAX_MEMORY_SIZE = 9 * 1024 * 1024
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# One cluster per kind of work, so that a storm of documents cannot starve money. The messages are
# doorbells: what is to be done is a domain row with a lease, and `tick` rings again for a lost bell.
_CLUSTER = {
    "orm": "default",
    "workers": 2,
    "queue_limit": 2,
    "bulk": 1,
    "timeout": 120,
    "retry": 600,
    "ack_failures": True,
    "max_attempts": 3,
    "save_limit": -1,
    "catch_up": False,
    "recycle": 200,
    "max_rss": 400_000,
    "guard_cycle": 1,
    "poll": 0.3,
    "scheduler": False,
    "label": "Queue",
    "log_level": "WARNING",
    "cache": "queue",
}
Q_CLUSTER = _CLUSTER | {
    "name": "money",
    "ALT_CLUSTERS": {
        "documents": _CLUSTER | {"cluster_name": "documents"},
        "mail": _CLUSTER | {"cluster_name": "mail", "workers": 1, "queue_limit": 1},
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "core.api.CursorPagination",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "core.api.problem_response",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Vault API",
    "DESCRIPTION": "Usage in, invoices out: the back office of a platform that bills by usage.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Fields of one name with different words: each set gets the name of its own class.
    "ENUM_NAME_OVERRIDES": {
        "AccountKind": "accounts.models.AccountKind",
        "CreditState": "billing.models.CreditState",
        "InvoiceKind": "billing.models.InvoiceKind",
        "ProductGroup": "billing.models.ProductGroup",
        "RunState": "billing.models.RunState",
    },
}

DJANGO_TABLES2_TEMPLATE = "django_tables2/vault.html"
GATEWAY = env.str("VAULT_GATEWAY", default="sandbox")
SANDBOX_JOURNAL = HOME / "sandbox-gateway.sqlite3"
WEBHOOKS_PUBLIC_ONLY = env.bool("VAULT_WEBHOOKS_PUBLIC_ONLY", default=True)  # whether news may not go to private places
FEEDS_PUBLIC_ONLY = env.bool("VAULT_FEEDS_PUBLIC_ONLY", default=False)  # whether sources' feeds may not be private
USAGE_MONTHS = env.int("VAULT_USAGE_MONTHS", default=25)  # two years and the running month
USAGE_OLD_DAYS = env.int("VAULT_USAGE_OLD_DAYS", default=60)  # how long something runs before it is worth a look
USAGE_LONG_DAYS = env.int("VAULT_USAGE_LONG_DAYS", default=400)  # … and how long something ran
SWEEPS = sweeps.SWEEPS  # what the tick calls; as names, because monitoring may not import vault
SUBSCRIPTIONS = "vault.subscriptions.HANDLERS"  # who hears the outbox's news
PID_DIRECTORY = HOME / "pids"  # where a supervisor tells the watchdog what it runs

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("VAULT_LOG_LEVEL", default="WARNING")},
}
