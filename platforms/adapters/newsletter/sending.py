"""A newsletter on its way: recipient by recipient, for as long as a call has time; then again, until nobody is left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alwrity_scheduler.core import clock
from platforms.adapters.newsletter import compose, journal, mail
from platforms.adapters.newsletter.recipients import Recipient
from platforms.contracts import Accepted, Published
from platforms.errors import PlatformError, Rejected, Unavailable, UnknownOutcome
from platforms.models import MailDelivery, Mailing

MOST_MISSES = 14
FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 1_800.0
SECONDS_FOR_A_MAIL = 5.0


def carry_on(
    mailing: Mailing, server: mail.Server, until: float, *, misses: int = 0, may_raise: bool
) -> Published | Accepted:
    """Send to whoever is waiting, until `until` (monotonic seconds).

    may_raise: a failure that kept the mail from everybody is raised; otherwise, and whenever somebody has it already, it is told by
    Accepted, and the next call goes on. Raises UnknownOutcome when it is over and nobody is known to have it.
    """
    try:
        sent_any = _send(mailing, server, until)
    except PlatformError as error:
        now = clock.now()
        if may_raise and not journal.is_begun(mailing):
            raise
        if isinstance(error, Rejected):
            # of the sender or the size: true for everybody who is left
            journal.refuse_rest(mailing, f"{error} {error.platform_message}".strip(), now)
        return result(mailing, now, misses=misses + 1, why=f"{error} {error.platform_message}".strip())
    return result(mailing, clock.now(), misses=0 if sent_any else misses)


def result(
    mailing: Mailing, now: datetime, *, misses: int = 0, why: str = "", already: bool = False
) -> Published | Accepted:
    """How far it is. Somebody is waiting: Accepted. Else Published, with notes about those who did not get it for certain; Rejected
    when all were refused; UnknownOutcome when nobody has it for certain and somebody may have it."""
    found = journal.figures(mailing)
    if found.of("pending") and misses >= MOST_MISSES:
        journal.refuse_rest(mailing, f"Given up after {misses} calls: {why}", now)
        found = journal.figures(mailing)
    if found.of("pending"):
        return _later(mailing, found, now, misses, why)
    journal.finish(mailing, now)
    numbers = {state: found.of(state) for state in ("sent", "refused", "unsure")}
    if found.of("sent"):
        return Published(
            remote_id=str(mailing.public_id), url="", response=numbers, already=already, notes=_notes(found)
        )
    if found.of("unsure") or found.of("sending"):
        raise UnknownOutcome(
            "The mail server closed the connection when it had the mail. Nobody is known to have it; it is not sent again: "
            + mail.listed(found.unsure),
            response=numbers,
        )
    reply = found.refused[0][1] if found.refused else "There is nobody to send it to."
    raise Rejected("The mail server refused every recipient.", platform_message=reply, response=numbers)


def _send(mailing: Mailing, server: mail.Server, until: float) -> bool:
    """Whether anything was settled. Raises one of the five errors when the server takes nothing from anybody."""
    waiting = journal.waiting(mailing, clock.now())
    if not waiting:
        return False
    session, settled = mail.opened(server, until), 0
    try:
        for delivery in waiting:
            if settled and until - time.monotonic() < SECONDS_FOR_A_MAIL:
                break
            settled += _deliver(session, mailing.content, delivery)
            if session.is_broken:
                break
    except mail.Broken as error:
        if not settled:
            raise Unavailable(f"The connection to the mail server broke before anything was sent. {error}") from error
    finally:
        session.close()
    return bool(settled)


def _deliver(session: mail.Session, content: Mapping[str, Any], delivery: MailDelivery) -> bool:
    recipient = Recipient(delivery.address, delivery.name)
    message = compose.message(content, recipient)
    if session.largest and len(message) > session.largest:
        raise Rejected(
            f"The newsletter has {len(message) / 1e6:.1f} MB; the mail server takes {session.largest / 1e6:.1f} MB. "
            "Use smaller pictures, or link them."
        )
    outcome = session.deliver(
        content["from_address"], delivery.address, message, claim=lambda: journal.claim(delivery, clock.now())
    )
    if outcome.state != "skipped":
        journal.settle(delivery, outcome.state, outcome.reply, clock.now())
    return outcome.state != "skipped"


def _later(mailing: Mailing, found: journal.Figures, now: datetime, misses: int, why: str) -> Accepted:
    if misses:
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (misses - 1), LONGEST_PAUSE_SECONDS)
    elif found.next_at is not None:
        pause = max(1.0, (found.next_at - now).total_seconds())
    else:
        pause = 1.0
    told = {"sent": found.of("sent"), "of": found.total}
    return Accepted(
        remote_state={"key": mailing.key, "misses": misses},
        poll_after_seconds=pause,
        response={**told, "missed": why} if why else told,
    )


def _notes(found: journal.Figures) -> tuple[str, ...]:
    notes = []
    if found.of("sent") < found.total:
        notes.append(f"Sent to {found.of('sent'):,} of {found.total:,}.")
    if found.refused:
        notes.append("Refused: " + mail.listed(f"{address} ({reply})" for address, reply in found.refused) + ".")
    if found.unsure:
        notes.append("May or may not have it, and will not be sent it again: " + mail.listed(found.unsure) + ".")
    return tuple(note[:2_000] for note in notes)
