"""Django's settings, read from the environment and the home folder. Nothing here starts a server or writes a file."""

import os
from datetime import timedelta
from pathlib import Path

from changke.config.database import database_settings
from changke.config.home import home_folder, load_keys
from changke.config.logs import configure_logs

HOME = home_folder(os.environ)
KEYS = load_keys(HOME)
PACKAGE = Path(__file__).resolve().parents[1]

SECRET_KEY = KEYS.django_secret
MASTER_KEY = KEYS.master_key  # wraps the members' own keys
INDEX_KEY = KEYS.index_key  # blind indexes and fingerprints
DEBUG = os.environ.get("CHANGKE_DEBUG") == "1"
IS_PRODUCTION = os.environ.get("CHANGKE_ENV", "production") == "production"
ALLOWED_HOSTS = os.environ.get("CHANGKE_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
IS_HTTPS = os.environ.get("CHANGKE_HTTPS") == "1"
PROXIES = int(os.environ.get("CHANGKE_PROXIES", "0"))  # how many proxies of our own stand in front
METRICS_TOKEN = os.environ.get("CHANGKE_METRICS_TOKEN", "")

INSTALLED_APPS = [
    # our own first: their templates take the place of the libraries' own
    "changke.records.apps.RecordsConfig",
    "changke.ui.apps.UiConfig",
    "changke.lobby.apps.LobbyConfig",
    "changke.console.apps.ConsoleConfig",
    "changke.jobs.apps.JobsConfig",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "django_prometheus",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "changke.lobby.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "changke.lobby.middleware.ViewerMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "changke.lobby.middleware.ContentPolicyMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "changke.lobby.middleware.PermissionMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "changke.config.urls"
WSGI_APPLICATION = "changke.config.wsgi.application"
AUTH_USER_MODEL = "records.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "changke.lobby.context.company",
            ],
        },
    },
]

DATABASES = {
    "default": database_settings(os.environ, role="owner" if os.environ.get("CHANGKE_ROLE") == "owner" else "app")
}
# Only a worker runs jobs; everybody else defers by name and starts two seconds earlier without them.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks" if os.environ.get("CHANGKE_WORKER") == "1" else ""
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache_entries"}}

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "changke.lobby.sign_in.StaffBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/console/"
LOGOUT_REDIRECT_URL = "account_login"
CSRF_FAILURE_VIEW = "changke.lobby.problems.csrf_failed"

ACCOUNT_ADAPTER = "changke.lobby.sign_in.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_LOGOUT_REDIRECT_URL = LOGOUT_REDIRECT_URL
ACCOUNT_SESSION_REMEMBER = True  # the age limits of the security settings rule, not a check box
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "20/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Changke"
MFA_ADAPTER = "changke.lobby.sign_in.EncryptedMfaAdapter"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_CALLABLE = "changke.lobby.sign_in.lock_name"
AXES_CLIENT_IP_CALLABLE = "changke.lobby.viewer.address_of"
AXES_LOCKOUT_CALLABLE = "changke.lobby.sign_in.answer_locked_out"
AXES_SENSITIVE_PARAMETERS = ["login", "password"]
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

SESSION_COOKIE_NAME = "changke_staff"
SESSION_COOKIE_PATH = "/"
SESSION_COOKIE_AGE = 30 * 24 * 3600  # the longest that the security settings allow; they end sessions earlier
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("CHANGKE_ORIGINS", "").split(",") if origin]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if IS_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "changke_language"
LOCALE_PATHS = [PACKAGE / "locale"]
TIME_ZONE = os.environ.get("CHANGKE_TIME_ZONE", "Asia/Shanghai")
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": HOME / "uploads"}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
UPLOADS = HOME / "uploads"
LAKE = HOME / "lake"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

LOGGING_CONFIG = None
configure_logs(os.environ)
