"""What reviewers and authors are told by e-mail: a request, reminders, the answer. Sent by a duty, outside of transactions.

Each notice is marked before it is sent, so that nobody gets it twice; one that is lost is lost, and the page
Review shows it anyway. Without EMAIL_URL nothing is sent.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from alwrity_scheduler.workspaces.models import User
from schedules.domain.approval import ReviewState
from schedules.models import Review, ReviewComment, Schedule
from schedules.services import approval

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 50
# Not reverse(): see services.facts
SCHEDULE_PAGE = "/app/schedules/%s/"


def send_due(*, now: datetime) -> str:
    """Tell everybody who is to hear something by `now`. Says how much was sent, for the duty's line."""
    sent = 0
    rows = Review.objects.select_related("schedule__content", "schedule__workspace", "requested_by")
    for review in rows.to_notify(now)[:MOST_AT_ONCE]:
        if approval.noticed(review=review, now=now):
            people = approval.reviewers_of(review.schedule, review)
            sent += _send(people, _request_subject(review), _request_words(review))
    for review in rows.to_tell(now)[:MOST_AT_ONCE]:
        if approval.told(review=review) and review.requested_by_id != review.decided_by_id and review.requested_by:
            sent += _send([review.requested_by], *_answer(review))
    return f"{sent} mails sent"


def _send(people: list[User], subject: str, words: str) -> int:
    addresses = [person.email for person in people if person.email and person.is_active]
    if not addresses or not settings.EMAIL_READY:
        return 0
    connection = get_connection(timeout=settings.EMAIL_TIMEOUT)
    sent = 0
    for address in addresses:
        try:
            sent += EmailMessage(subject, words, to=[address], connection=connection).send()
        except (smtplib.SMTPException, OSError) as error:
            logger.warning("An e-mail could not be sent: %s.", type(error).__name__, extra={"action": "mail_failed"})
    return sent


def _page(schedule: Schedule) -> str:
    return str(settings.PUBLIC_URL) + SCHEDULE_PAGE % schedule.public_id


def _name(schedule: Schedule) -> str:
    return " ".join(str(schedule).split())[:80]


def _request_subject(review: Review) -> str:
    start = "Reminder: " if review.notices else ""
    return f"{start}“{_name(review.schedule)}” waits for your approval"


def _request_words(review: Review) -> str:
    return (
        f"{review.requested_label} asks for approval of a post in {review.schedule.workspace.name}:\n\n"
        f"{review.schedule.content.text[:1000]}\n\nLook at it and answer: {_page(review.schedule)}\n"
    )


def _answer(review: Review) -> tuple[str, str]:
    comments = ReviewComment.objects.filter(
        schedule=review.schedule_id, at__gte=review.decided_at or review.requested_at
    )
    said = comments.order_by("id").first()
    quoted = f"\n\n{said.text}" if said else ""
    if review.state == ReviewState.APPROVED:
        late = "" if review.schedule.state == "active" else " Its time has gone by: choose another and schedule it."
        subject, words = f"“{_name(review.schedule)}” is approved", f"{review.decided_label} approved it.{late}"
    else:
        subject = f"Changes are asked for: “{_name(review.schedule)}”"
        words = f"{review.decided_label} asks for changes."
    return subject, f"{words}{quoted}\n\n{_page(review.schedule)}\n"
