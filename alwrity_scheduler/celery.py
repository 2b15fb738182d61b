"""The Celery app, for `celery -A alwrity_scheduler worker` and `… beat`. Celery only says "look now".

No post is ever in a message: the rows in the database are schedule, queue and delay, so a broker that is flushed,
restarted or gone loses nothing. The tasks stand in `schedules.engine.distributed`.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alwrity_scheduler.settings")

from celery import Celery, signals
from celery.exceptions import CPendingDeprecationWarning
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from schedules.engine.bands import queue_names

if settings.ENGINE["mode"] != "distributed":
    raise ImproperlyConfigured("Celery runs the distributed engine only: set ENGINE=distributed.")


def _transport_options(broker_url: str) -> dict[str, Any]:
    """A broker that does not answer must not hold anybody for long."""
    if not broker_url.startswith(("redis", "valkey", "sentinel")):
        return {}
    # Redis repeats a message that is not acknowledged within an hour (visibility_timeout). That is harmless: a message
    # holds no post, and the claim of a row is fenced by its token, so a repeated "look now" finds what is due or nothing.
    return {"socket_connect_timeout": 2, "socket_timeout": 5, "socket_keepalive": True}


# told at each loss of the broker that calls under way go on, which is what is wanted (see below)
warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
app = Celery("alwrity_scheduler")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_transport_options=_transport_options(settings.CELERY_BROKER_URL),
    broker_connection_timeout=2,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # names and numbers only, nothing pickled; nobody reads a result
    accept_content=["json"],
    task_serializer="json",
    result_backend=None,
    result_expires=None,
    task_ignore_result=True,
    # a message is acknowledged when its work is done, and given to another worker when its process is killed
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # a call under way goes on when the broker is lost: its lease and its result stand in the database
    worker_cancel_long_running_tasks_on_connection_loss=False,
    # the default exchange needs no bindings, which a flushed Redis would have forgotten
    task_queues={name: {"exchange": "", "routing_key": name} for name in queue_names(settings.ENGINE["queue_prefix"])},
    task_default_queue=f"{settings.ENGINE['queue_prefix']}.engine",
    task_create_missing_queues=False,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0},
    beat_scheduler="schedules.engine.periodic:Scheduler",
    # how soon a change in the admin is seen, and how often the last runs are written for it to show
    beat_max_loop_interval=1,
    beat_sync_every=30,
    timezone="UTC",
    worker_hijack_root_logger=False,
)


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_the_products_log(**_: Any) -> None:
    """With a receiver here Celery leaves logging to Django's LOGGING."""
