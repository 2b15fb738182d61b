"""The ASGI door for web servers: a live stream holds no thread there."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alwrity_scheduler.settings")
# each request has a thread of its own here, which would take its connection away with it (Django, "Asynchronous support")
os.environ.setdefault("DATABASE_CONN_MAX_AGE", "0")
application = get_asgi_application()
