"""The ASGI door for web servers: a live stream holds no thread there."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alwrity_scheduler.settings")
application = get_asgi_application()
