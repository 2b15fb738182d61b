"""The mails about signing in. They leave on a thread of their own: how long an answer takes must not tell whether a person exists.

One that is lost (a mail server that is down, a process that ends hard) is asked for again by the person who waits for it.
"""

from __future__ import annotations

import functools
import logging
import smtplib
from concurrent.futures import Future, ThreadPoolExecutor

from django.conf import settings
from django.core.mail import EmailMessage

logger = logging.getLogger(__name__)


@functools.lru_cache(maxsize=1)
def _post() -> ThreadPoolExecutor:
    """One after the other. Python waits for it at the end of the process."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="sign-in-mail")


def send(message: EmailMessage) -> Future[None] | None:
    """Send it soon; nothing where no mail server is set."""
    return _post().submit(_send, message) if settings.EMAIL_READY else None


def wait() -> None:
    """Until everything given so far has left."""
    _post().submit(lambda: None).result()


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("An e-mail could not be sent: %s.", type(error).__name__, extra={"action": "mail_failed"})
