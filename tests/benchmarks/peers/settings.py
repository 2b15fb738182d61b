"""The settings of the peers that live in Django. PEER says which; each gets a database of its own by DATABASE_URL."""

import os

import environ

SECRET_KEY = "only for benchmarks"
USE_TZ = True
TIME_ZONE = "UTC"
DATABASES = {"default": {**environ.Env().db_url("DATABASE_URL"), "CONN_MAX_AGE": 600}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PEER = os.environ.get("PEER", "")
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
INSTALLED_APPS += {
    "django-tasks-db": ["django_tasks", "django_tasks_db"],
    "django-q2": ["django_q"],
    "django-q2-tuned": ["django_q"],
    "django-apscheduler": ["django_apscheduler"],
    "celery-beat": ["django_celery_beat"],
}[PEER]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
Q_CLUSTER = {"name": "bench", "orm": "default", "workers": 2, "timeout": 60, "retry": 3600, "log_level": "ERROR"}
if PEER == "django-q2-tuned":
    # many small tasks: take them in bulk, keep the workers, keep no successes (docs, "Configuration")
    Q_CLUSTER |= {"bulk": 100, "queue_limit": 400, "poll": 0.05, "save_limit": -1, "recycle": 100_000}
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"handlers": [], "level": "ERROR"}}
