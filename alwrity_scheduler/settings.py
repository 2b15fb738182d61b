"""Every setting of the product, read from the environment by typed readers. README.md lists the names.

Sections: folders and keys; what is installed; web; database; sign-in; files; time and language; security; engine; logging.
"""

import os
import zoneinfo
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import environ

from alwrity_scheduler import bootstrap, engines, stores
from alwrity_scheduler.signin import providers

# lets classes like admin.ModelAdmin name their model as a type parameter at run time too
django_stubs_ext.monkeypatch()
env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# Folders and keys. Real environment variables win over the generated file.
DATA_DIR = Path(bootstrap.data_folder())
if (DATA_DIR / "keys.env").is_file():
    env.read_env(DATA_DIR / "keys.env")

SECRET_KEY = env.str("SECRET_KEY", default="")
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])
DEBUG = env.bool("DEBUG", default=False)
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")

# What is installed.
INSTALLED_APPS = [
    "schedules.apps.SchedulesConfig",
    "schedules.notifications.apps.NotificationsConfig",
    "schedules.webhooks.apps.WebhooksConfig",
    "schedules.inbound.apps.InboundConfig",
    "schedules.events.apps.EventsConfig",
    "platforms.adapters.sandbox.apps.SandboxConfig",
    "platforms.apps.PlatformsConfig",
    "alwrity_scheduler.oauth.apps.OauthConfig",
    "alwrity_scheduler.security.apps.SecurityConfig",
    "alwrity_scheduler.workspaces.apps.WorkspacesConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "alwrity_scheduler.signin.apps.SigninConfig",
    "csp",
    "django_apscheduler",
    "django_filters",
    "django_htmx",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

# Web.
_public = urlsplit(PUBLIC_URL)
_https = _public.scheme == "https"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=sorted({_public.hostname or "127.0.0.1", "127.0.0.1", "localhost"}))
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])
ROOT_URLCONF = "alwrity_scheduler.urls"
WSGI_APPLICATION = "alwrity_scheduler.wsgi.application"
MIDDLEWARE = [
    "alwrity_scheduler.core.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "alwrity_scheduler.core.middleware.headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "alwrity_scheduler.workspaces.middleware.person",
    "allauth.account.middleware.AccountMiddleware",
    "alwrity_scheduler.signin.middleware.watch",
]
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
                "schedules.web.context.shell",
            ],
            "builtins": ["schedules.web.templatetags.ui"],
            "libraries": {"notices": "schedules.web.templatetags.notices"},
        },
    }
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "alwrity_scheduler.oauth.authentication.AppAuthentication",
        "alwrity_scheduler.workspaces.authentication.TokenAuthentication",
        "alwrity_scheduler.workspaces.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "schedules.api.paging.NewestFirst",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "schedules.api.problems.handle",
    "DEFAULT_METADATA_CLASS": "schedules.api.metadata.Methods",
    "DEFAULT_SCHEMA_CLASS": "schedules.api.schema.Schema",
    "PAGE_SIZE": 50,
}
# schedules/api/schema.py says all that is ours
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_PATCH": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["schedules.api.schema.finish"],
}
# requests a minute that the API answers to each token, app or person, and to each address that says nothing of itself; 0: any
API_RATE_LIMIT = env.int("API_RATE_LIMIT", default=600)
API_RATE_LIMIT_ANONYMOUS = env.int("API_RATE_LIMIT_ANONYMOUS", default=60)
# Counts that all web processes share: one process counts in its memory, several need a Redis (redis://host:6379/1).
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
if CACHES["default"]["BACKEND"].endswith("LocMemCache"):
    # Django's 300 could be filled by guessing at many names, and the guesses that are counted would be thrown out
    CACHES["default"].setdefault("OPTIONS", {}).setdefault("MAX_ENTRIES", 50_000)

# Database. SQLite: IMMEDIATE makes a writer wait for its turn instead of failing half-way (eight processes raise
# thousands of lock errors without it), FULL because an attempt that a power cut takes back could be published twice.
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=600)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sign-in.
AUTH_USER_MODEL = "workspaces.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# argon2 first; a password kept under an older hash gets the new one at its next sign-in
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTHENTICATION_BACKENDS = ["alwrity_scheduler.signin.backends.Backend"]
SESSION_COOKIE_AGE = 86_400 * env.int("SESSION_DAYS", default=14)
# who must have a second step at sign-in: none, staff, owners (and staff) or everyone
SIGNIN_REQUIRE_MFA = env.str("SIGNIN_REQUIRE_MFA", default="none")
# OpenID providers as a JSON array (signin/providers.py); open: who signs in there and is nobody here becomes somebody
SIGNIN_OIDC = providers.read(env.str("SIGNIN_OIDC", default=""))
SIGNIN_OIDC_OPEN = env.bool("SIGNIN_OIDC_OPEN", default=False)
if SIGNIN_OIDC:
    INSTALLED_APPS.append("allauth.socialaccount.providers.openid_connect")  # a tenth of a second for every process
ACCOUNT_ADAPTER = "alwrity_scheduler.signin.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = SOCIALACCOUNT_EMAIL_VERIFICATION = (
    "none"  # addresses are confirmed on the page of addresses
)
ACCOUNT_EMAIL_SUBJECT_PREFIX = "ALwrity Scheduler: "
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody can have mails sent to strangers
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _https else "http"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# guesses: fifteen minutes after ten at one person, or after thirty from one address
ACCOUNT_RATE_LIMITS = {"login_failed": "30/15m/ip,10/15m/key", "login": "120/m/ip"}
ACCOUNT_FORMS = {
    "login": "alwrity_scheduler.signin.forms.LoginForm",
    "change_password": "alwrity_scheduler.signin.forms.ChangePasswordForm",
    "set_password": "alwrity_scheduler.signin.forms.SetPasswordForm",
    "reset_password": "alwrity_scheduler.signin.forms.ResetPasswordForm",
    "reset_password_from_key": "alwrity_scheduler.signin.forms.ResetPasswordKeyForm",
    "add_email": "alwrity_scheduler.signin.forms.AddEmailForm",
    "reauthenticate": "alwrity_scheduler.signin.forms.ReauthenticateForm",
}
MFA_ADAPTER = "alwrity_scheduler.signin.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # people are invited: nobody can lock others out with an address that is not theirs
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off
MFA_FORMS = {
    "authenticate": "alwrity_scheduler.signin.forms.CodeForm",
    "reauthenticate": "alwrity_scheduler.signin.forms.ReauthenticateCodeForm",
    "activate_totp": "alwrity_scheduler.signin.forms.ActivateTotpForm",
    "add_webauthn": "alwrity_scheduler.signin.forms.AddKeyForm",
    "edit_webauthn": "alwrity_scheduler.signin.forms.EditKeyForm",
    "login_webauthn": "alwrity_scheduler.signin.forms.PasskeyForm",
}
USERSESSIONS_ADAPTER = "alwrity_scheduler.signin.adapters.SessionsAdapter"
SOCIALACCOUNT_ADAPTER = "alwrity_scheduler.signin.adapters.ProviderAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": SIGNIN_OIDC}}

# The product as an OAuth 2.0 provider for apps of others (alwrity_scheduler/oauth/README.md). Durations in seconds.
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth.App"
OAUTH2_PROVIDER_GRANT_MODEL = "oauth.Code"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth.AccessToken"  # noqa: S105 - a model
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oauth.RefreshToken"  # noqa: S105 - a model
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oauth.IdToken"  # noqa: S105 - a model
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "oauth.DeviceCode"
# every table of the toolkit is one of ours, so its own migrations have nothing to make
MIGRATION_MODULES = {"oauth2_provider": None}
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "alwrity_scheduler.oauth.validator.Validator",
    "SCOPES_BACKEND_CLASS": "alwrity_scheduler.oauth.scopes.Scopes",
    "OIDC_ISS_ENDPOINT": PUBLIC_URL,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": env.int("APP_TOKEN_SECONDS", default=3600),
    "REFRESH_TOKEN_EXPIRE_SECONDS": env.int("APP_REFRESH_SECONDS", default=30 * 86_400),
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "PKCE_REQUIRED": True,
    "ALLOW_LOCALHOST_LOOPBACK": True,
    # what the toolkit itself says; the app's own list, checked when it is entered, adds http for loopback
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    **{
        f"COMPLIANT_BCP_RFC9700_{rule}": True
        for rule in (
            "IMPLICIT_GRANT", "PASSWORD_GRANT", "PKCE_METHOD", "ACCESS_TOKEN_TRANSPORT", "AUTHZ_RESPONSE_ISS", "TOKEN_STORAGE",
            "REFRESH_TOKEN", "REDIRECT_URI_SCHEME", "REDIRECT_URI_MATCHING", "PKCE_REQUIRED",
        )
    },
    "APPLICATION_ADMIN_CLASS": "alwrity_scheduler.oauth.admin.AppAdmin",
    **{f"{kind}_ADMIN_CLASS": "alwrity_scheduler.oauth.admin.TokenAdmin" for kind in ("ACCESS_TOKEN", "REFRESH_TOKEN", "GRANT")},
    "ID_TOKEN_ADMIN_CLASS": "alwrity_scheduler.oauth.admin.EmptyAdmin",
}  # fmt: skip

# Files. The manifest storage wants `collectstatic` first; without it (tests, a developer's checkout) files are found in place.
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
MEDIA_MAX_BYTES = env.int("MEDIA_MAX_BYTES", default=100 * 1024 * 1024)
# How long the signed link to a file works that a platform gets with a post.
MEDIA_LINK_SECONDS = env.int("MEDIA_LINK_SECONDS", default=86_400)
_collected = (STATIC_ROOT / "staticfiles.json").is_file()
WHITENOISE_USE_FINDERS = not _collected
STORAGES = {
    "default": stores.media_storage(env),  # nothing but media and what is made of them is stored by it
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _collected
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Time and language. Zone rules come from the tzdata package alone, so two machines agree and the version is known.
zoneinfo.reset_tzpath(to=())
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
# each in its own words, so that whoever cannot read the others finds theirs
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("pt-br", "Português (Brasil)"),
    ("hi", "हिन्दी"),
    ("ja", "日本語"),
    ("ar", "العربية"),
]
LOCALE_PATHS = [BASE_DIR / "alwrity_scheduler" / "locale"]
FORMAT_MODULE_PATH = ["alwrity_scheduler.formats"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = _https
LANGUAGE_COOKIE_AGE = 31_536_000

# Security.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
# EMAIL_URL like smtp+tls://user:password@mail.example.com:587; without it no mail is sent
EMAIL_READY = bool(env.str("EMAIL_URL", default=""))
if EMAIL_READY:
    vars().update(env.email_url("EMAIL_URL"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", default=f"ALwrity Scheduler <noreply@{_public.hostname}>")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=_https)
# asked from inside by probes and Prometheus, over plain HTTP; a probe takes a redirect for good health
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if _https else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Outgoing requests refuse loopback, private and link-local addresses; name hosts or networks here to allow them.
OUTBOUND_ALLOW = env.list("OUTBOUND_ALLOW", default=[])

# Apps through which people sign in at platforms, for every workspace that has none of its own:
# ALWRITY_APP_<PLATFORM>_ID and ALWRITY_APP_<PLATFORM>_SECRET.
SIGN_IN_APP_KEYS = bootstrap.sign_in_apps(os.environ)

# Engine. Durations in seconds.
ENGINE = {
    "mode": engines.engine_mode(env.str("ENGINE", default="embedded"), database_engine=DATABASES["default"]["ENGINE"]),
    # two installations on one broker need names of their own
    "queue_prefix": env.str("ENGINE_QUEUE_PREFIX", default="alwrity"),
    "celery_app": "alwrity_scheduler.celery",
    "threads": env.int("ENGINE_THREADS", default=64),
    "lease_seconds": engines.lease_length(env.int("ENGINE_LEASE_SECONDS", default=60)),
    "stop_seconds": env.int("ENGINE_STOP_SECONDS", default=30),
    "horizon_hours": env.int("ENGINE_HORIZON_HOURS", default=48),
    # posts that had to wait (a platform was down, the scheduler stood still) leave so far apart on one account
    "recovery_spacing_seconds": env.float("ENGINE_RECOVERY_SPACING_SECONDS", default=2.0),
    "attempt_retention_days": env.int("ATTEMPT_RETENTION_DAYS", default=400),
}
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="redis://127.0.0.1:6379/0")
if ENGINE["mode"] == engines.DISTRIBUTED:
    INSTALLED_APPS.append("django_celery_beat")
    CELERY_BEAT_SCHEDULER = "schedules.engine.beat:Scheduler"

# Live streams of events: how many a web process holds at once (0: none, pages ask now and then), and how long one lasts.
STREAM = {"most": env.int("STREAM_MOST", default=64), "seconds": env.int("STREAM_SECONDS", default=900)}

# Keeping: whole days by the names that `manage.py retention` shows, like RETENTION_DAYS="attempts:90,security log:365".
RETENTION_DAYS = engines.days_by_name(env.str("RETENTION_DAYS", default=""))

# Watching. Prometheus reads /metrics with this bearer token; without one only a signed-in superuser may.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# Logging: one line an event, with ids; as words (line) or as JSON objects (json). Servers and Celery write the same shape.
_shape = "JsonFormatter" if env.str("LOG_FORMAT", default="line") == "json" else "LineFormatter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"event": {"()": f"alwrity_scheduler.core.logs.{_shape}"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "event"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "apscheduler": {"level": "WARNING"},
        # a line for each "look now" would be several a second
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "celery.worker.request": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # these bring handlers of their own
        **{name: {"handlers": [], "propagate": True} for name in ("waitress", "uvicorn", "uvicorn.error", "celery")},
        "uvicorn.access": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
