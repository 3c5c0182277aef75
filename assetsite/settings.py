"""All settings of the site, each one from the environment; docs/configuration.md explains every name."""

import fcntl
import os
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import jinja2

from access.headers import mark_static
from assetsite import ROOMS
from assetsite.environment import Environment
from assetsite.home import default_home

BASE_DIR = ROOMS
MODES = ("local", "team")
env = Environment(os.environ)


def secret_key_of(folder: Path) -> str:
    """The key kept in the embedded default's folder, made on first use and readable by its owner only."""
    path = folder / "secret_key"
    if not has_text(path):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "secret_key.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # processes that start together agree on the key of the first one
            if not has_text(path):
                write_whole(path, secrets.token_urlsafe(50))
    return path.read_text()


def has_text(path: Path) -> bool:
    """Whether there is a file at `path` with something in it."""
    return path.exists() and path.stat().st_size > 0


def write_whole(path: Path, text: str) -> None:
    """Write a file for its owner only; nobody ever sees a part of it."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.", delete=False) as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())
    Path(new.name).replace(path)


def secret_key() -> str:
    """The key that is set; in local mode, where none needs to be, the one that is kept."""
    key = env.secret("ASSETSITE_SECRET_KEY")
    if key or not LOCAL_MODE:
        return key
    try:
        return secret_key_of(HOME)
    except OSError as error:
        env.wrong("ASSETSITE_HOME", f"is {str(HOME)!r}, where the site can't keep its files: {error.strerror}.")
        return ""


def database() -> dict[str, Any]:
    """Django's description of the database; SQLite gets the options that let many processes write."""
    found = env.database("DATABASE_URL", HOME / "catalogue.sqlite3") | {"CONN_MAX_AGE": 600}
    if found["ENGINE"].endswith("sqlite3"):
        make_folder_of_database(Path(found["NAME"]).parent)
        found["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    else:
        found["ENGINE"] = "access.postgresql"
        found["CONN_HEALTH_CHECKS"] = True
        found["DISABLE_SERVER_SIDE_CURSORS"] = True  # a pooler gives the next statement to another session
        options = {"server_side_binding": True, "connect_timeout": 5}  # the first for access.statements
        found["OPTIONS"] = options | found.get("OPTIONS", {})
    return found


def make_folder_of_database(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        name = "ASSETSITE_HOME" if folder == HOME else "DATABASE_URL"
        env.wrong(name, f"is {str(folder)!r}, where the site can't keep its files: {error.strerror}.")


# Where and how the site runs
HOME = env.folder("ASSETSITE_HOME", default_home)
env.refuse_if_wrong()  # before anything is looked for, or made, in another folder
MODE = env.choice("ASSETSITE_MODE", "local", MODES)
LOCAL_MODE = MODE == "local"
SECRET_KEY = secret_key()
SECRET_KEY_FALLBACKS = env.secrets("ASSETSITE_SECRET_KEY_FALLBACKS")  # what was signed by these is still believed
DEBUG = env.switch("ASSETSITE_DEBUG", False)
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
TEAM_HOSTS = env.host_names("ASSETSITE_ALLOWED_HOSTS")
ALLOWED_HOSTS = LOCAL_HOSTS if LOCAL_MODE else TEAM_HOSTS
TEAM_TLS, TEAM_PROXY = env.switch("ASSETSITE_TLS", False), env.switch("ASSETSITE_TRUST_PROXY", False)
TRUST_PROXY = TEAM_PROXY and not LOCAL_MODE
LOCAL_PERIMETER = "default"
PUBLIC_ADDRESS = env.public_address("ASSETSITE_PUBLIC_URL")
CSRF_TRUSTED_ORIGINS = env.origins("ASSETSITE_TRUSTED_ORIGINS")
FORCE_SCRIPT_NAME = ""  # the site is where the public address says, whatever the server makes of a request
PORT = env.whole_number("PORT", 8000, least=1, most=65535)
BIND = env.ip_address("ASSETSITE_BIND", "0.0.0.0")  # noqa: S104 (team mode only: behind a proxy, in a container)
WORKERS = env.whole_number("ASSETSITE_WORKERS", 1 if LOCAL_MODE else 2, least=1, most=256)
THREADS = env.whole_number("ASSETSITE_THREADS", 4, least=1, most=256)

INSTALLED_APPS = [
    "assetsite.apps.SiteAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "assetsite.apps.FailedSignInsConfig",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "access",
    "catalog",
    "lineage",
    "comparing",
    "promoting",
    "telling",
]

MIDDLEWARE = [
    "access.feed_addresses.FeedAddressMiddleware",
    "assetsite.health.ProbesMiddleware",
    "access.middleware.StatementLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "access.headers.PrivateAnswersMiddleware",
    "access.headers.PolicyMiddleware",
    "access.for_pages.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "access.for_pages.Users",
    "access.middleware.LocalModeMiddleware",
    "access.middleware.ViewerMiddleware",
    "access.for_pages.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "access.for_pages.Htmx",
    "assetsite.demo.DemoMiddleware",
]

APPEND_SLASH = False
ROOT_URLCONF = "assetsite.urls"
WSGI_APPLICATION = "assetsite.wsgi.application"
CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "catalog.derivation.for_pages",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "assetsite.jinja.environment",
            "undefined": jinja2.ChainableUndefined,  # a name that is missing is empty; tests fail for it
            "context_processors": CONTEXT_PROCESSORS,
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",  # the administration's
        "DIRS": [BASE_DIR / "templates" / "django"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
]

DATABASES = {"default": database()}
PREPARED_STATEMENTS = env.switch("ASSETSITE_PREPARED_STATEMENTS", True)  # false for PgBouncer before 1.21
PAGE_LIMIT = env.number("ASSETSITE_PAGE_LIMIT", 10, least=0, most=86_400)  # seconds for each statement; 0 for no limit
CALL_LIMIT = env.number("ASSETSITE_CALL_LIMIT", 5, least=0, most=86_400)
MORE_JOBS = ("telling.jobs.JOBS",)  # for catalog.jobs, which stands below them
GATE_FACTS = "promoting.facts.facts_of"  # for catalog.recording.gating, which stands below it
ERROR_PAGE_CONTEXT = "catalog.pagekit.refused.context_of"  # for access.errors, which stands below the catalogue
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"

# Failed sign-ins: counted by name and address together, kept for a day; access.attempts says how long to wait
AXES_ENABLED = not LOCAL_MODE
AXES_HANDLER = "access.attempts.Attempts"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "access.attempts.counted_name"
AXES_CLIENT_IP_CALLABLE = "access.attempts.counted_place"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(days=1)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # who waits is not kept waiting by trying
AXES_DISABLE_ACCESS_LOG = True  # the audit log has it
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
DATETIME_FORMAT = "Y-m-d H:i"  # in the admin

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_STATIC_PREFIX = "/static/"  # below the public address
WHITENOISE_USE_FINDERS = True  # the site's own files and those that packages bring, with no collecting step
WHITENOISE_ADD_HEADERS_FUNCTION = mark_static

# Bodies: one registration may carry 64 KiB in each annotation, a deploy all of a project's READMEs
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000  # the admin's form of an asset with many overridden properties

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["access.authentication.ViewerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["access.authentication.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["catalog.wire.rendering.FastJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["catalog.wire.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "access.errors.answer_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "assetsite",
    "DESCRIPTION": "The catalogue of data and model assets of Metaflow projects.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["access.authentication.SignedIn"],
    "ENUM_NAME_OVERRIDES": {
        "InstanceState": "catalog.states.State",
        "StateToRegister": "catalog.states.STATES_TO_REGISTER",
        "AssetKinds": "catalog.states.Kind",
        "RunKind": "catalog.states.RunKind",
        "RunState": "catalog.states.RUN_STATES",
    },
    "GET_LIB_DOC_EXCLUDES": "catalog.apikit.view.bases_without_docs",
}

# Nothing is fetched from another host; only a card's own frame may run inline scripts, under its own policy
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "frame-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "access.refused_forms.csrf_failure"
# Browsers send a host's cookies to all of its ports, so their names are the site's own
SESSION_COOKIE_NAME = "assetsite_session"
CSRF_COOKIE_NAME = "assetsite_csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if not LOCAL_MODE:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = TEAM_TLS
    SECURE_HSTS_SECONDS = 31_536_000 if TEAM_TLS else 0
    # What the public address says is not asked of each request, but for whether to redirect it to https
    if TRUST_PROXY and (TEAM_TLS or PUBLIC_ADDRESS is None):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
if PUBLIC_ADDRESS is not None and not LOCAL_MODE:
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, PUBLIC_ADDRESS.host]
    FORCE_SCRIPT_NAME = PUBLIC_ADDRESS.script_name
    STATIC_URL = f"{PUBLIC_ADDRESS.path}/static/"
    SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{PUBLIC_ADDRESS.path}/"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_ADDRESS.is_secure
    SPECTACULAR_SETTINGS["SERVERS"] = [{"url": PUBLIC_ADDRESS.url.rstrip("/")}]
SILENCED_SYSTEM_CHECKS = [
    # Subdomains and browsers' preload lists concern all of a domain, of which the site is one host: its owner decides
    *("security.W005", "security.W021"),
    # access.deployment_checks says the same in the site's own words, and what follows from its settings needs no saying
    *(
        "security.W004",
        "security.W008",
        "security.W009",
        "security.W010",
        "security.W012",
        "security.W016",
        "security.W018",
        "security.W025",
    ),
    "axes.W002",  # the middleware of axes answers for views that don't know of it; the sign-in page does
]

# Cards and task facts
CARD_ROOTS = env.entries("ASSETSITE_CARD_ROOTS")
METAFLOW_UI_URL = env.web_address("METAFLOW_UI_URL")

# Backfilling what the catalogue missed
RECONCILE = env.entries("ASSETSITE_RECONCILE")
RECONCILE_MINUTES = env.number("ASSETSITE_RECONCILE_MINUTES", 5, least=0, most=44_640)
LOST_AFTER_HOURS = env.number("ASSETSITE_LOST_AFTER", 48, least=1, most=87_600)

# Telling programs and people
WEBHOOK_NETWORKS = env.networks("ASSETSITE_WEBHOOK_NETWORKS")  # of receivers that would be refused else
WEBHOOK_CA = env.file("ASSETSITE_WEBHOOK_CA")  # who signs certificates of receivers; empty: those of certifi

MAIL_SERVER = env.mail_server("ASSETSITE_EMAIL_URL")
EMAIL_FROM = env.mail_address("ASSETSITE_EMAIL_FROM")
if bool(MAIL_SERVER) != bool(EMAIL_FROM):
    missing = "ASSETSITE_EMAIL_FROM" if MAIL_SERVER else "ASSETSITE_EMAIL_URL"
    env.wrong(missing, "is not set, and mail needs both the server and who it is from.")
EMAIL_HOST, EMAIL_PORT = MAIL_SERVER.get("EMAIL_HOST", "localhost"), MAIL_SERVER.get("EMAIL_PORT", 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = (MAIL_SERVER.get(f"EMAIL_HOST_{part}", "") for part in ("USER", "PASSWORD"))
EMAIL_USE_TLS, EMAIL_USE_SSL = (MAIL_SERVER.get(f"EMAIL_USE_{part}", False) for part in ("TLS", "SSL"))
EMAIL_TIMEOUT = 10  # seconds, for each answer of the server
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM or "webmaster@localhost"

env.refuse_if_wrong()
MISSPELT_SETTINGS = env.misspelt()

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"class": "access.masking.Masking", "format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "filters": {"in_one_line": {"()": "access.database_trouble.InOneLine"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django.request": {"level": "ERROR", "filters": ["in_one_line"]},  # a 404 is an answer, not an event
        "django.security.DisallowedHost": {"level": "ERROR", "filters": ["in_one_line"]},
        "django.server": {"level": "INFO", "handlers": ["console"], "propagate": False},  # assetsite manage runserver
        "catalog.jobs": {"level": "INFO"},
        "axes": {"level": "ERROR"},  # strangers can fail as often as they like; the audit log counts
    },
}
