"""A newsletter by your own mail server (SMTP): one mail for each recipient, none of them twice. README.md says more."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from alwrity_scheduler.core import clock, http
from alwrity_scheduler.core.addresses import Allowed
from platforms.adapters.newsletter import compose, journal, mail, recipients, sending
from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Capabilities,
    MediaRule,
    Metrics,
    Publication,
    Published,
    TextRule,
)
from platforms.errors import PlatformError, UnknownOutcome
from platforms.problems import ContentLike, ContentProblem, error, warning
from platforms.text import markup

MEBIBYTE = 1024 * 1024
# mail servers commonly take 10 MB, and base64 makes 4 bytes of 3
MOST_BYTES = 7 * MEBIBYTE
LONGEST_SUBJECT = 250
_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif"})


class NewsletterAdapter:
    key: str = "newsletter"
    label: str = "E-mail newsletter (SMTP)"
    description: str = "One mail for each address of a list, by your own mail server."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="password", label="Password", help="Of the user at the mail server.", secret=True),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="host", label="Mail server", help="Like smtp.example.com.", required=True),
        FieldSpec(
            name="port",
            label="Port",
            help="587 with STARTTLS, 465 with TLS.",
            kind="number",
            required=True,
            default=587,
        ),
        FieldSpec(
            name="security",
            label="Encryption",
            kind="choice",
            choices=(("starttls", "STARTTLS"), ("tls", "TLS from the start"), ("none", "None")),
            default="starttls",
        ),
        FieldSpec(name="username", label="User name", help="Leave it empty if the server asks for none."),
        FieldSpec(name="from_address", label="Sender's address", required=True),
        FieldSpec(name="from_name", label="Sender's name"),
        FieldSpec(name="reply_to", label="Answers go to", help="The sender's address if empty."),
        FieldSpec(
            name="recipients",
            label="Recipients",
            help="One address a line, with a name if you like: Ana <ana@example.org>.",
            kind="long_text",
            required=True,
        ),
        FieldSpec(
            name="unsubscribe",
            label="To unsubscribe",
            help="An https address that takes a POST with one click (RFC 8058), or an e-mail address. {email} becomes the "
            "recipient's own address. It stands at the end of each mail and in its headers.",
            required=True,
        ),
        FieldSpec(
            name="footer",
            label="Footer",
            help="Who sends this, and the postal address that the law asks for.",
            kind="long_text",
        ),
        FieldSpec(name="list_id", label="List id", help="Like news.example.com; made from the account if empty."),
        FieldSpec(
            name="images",
            label="Pictures",
            help="Inside the mail, they are seen without asking. Linked, the mail is small, but the links end.",
            kind="choice",
            choices=(("inline", "Inside the mail"), ("linked", "Linked")),
            default="inline",
        ),
        FieldSpec(
            name="ca_certificate",
            label="The server's own certificate",
            help="PEM, only for a server whose certificate no public authority has signed.",
            kind="long_text",
        ),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="subject", label="Subject", help="The post's title if empty."),
        FieldSpec(name="preheader", label="Preview", help="What mail programs show beside the subject."),
        FieldSpec(
            name="body_format",
            label="The text is",
            help="By itself: HTML where the text looks like it, else Markdown. `![words](media:1)` puts the first picture there.",
            kind="choice",
            choices=markup.FORMATS,
            default="auto",
        ),
        FieldSpec(
            name="recipients",
            label="Only to",
            help="Instead of the account's list, one address a line: for a test, or for those who did not get it.",
            kind="long_text",
        ),
    )

    def capabilities(self, account: AccountRef) -> Capabilities:
        rule = {"max_bytes": MOST_BYTES}
        return Capabilities(
            content_types=frozenset({"newsletter", "post", "article", "image", "carousel"}),
            media_mimes=_PICTURES | {"application/pdf"},
            max_media=20,
            max_media_bytes=MOST_BYTES,
            can_find=True,
            replays=True,  # the journal of recipients knows who may have it
            consistency_delay_seconds=1.0,
            title=TextRule(max=LONGEST_SUBJECT, recommended=60),
            media={
                "image": MediaRule(mimes=_PICTURES - {"image/gif"}, max_bytes=rule["max_bytes"]),
                "gif": MediaRule(mimes=frozenset({"image/gif"}), max_bytes=rule["max_bytes"]),
                "document": MediaRule(mimes=frozenset({"application/pdf"}), max_bytes=rule["max_bytes"]),
            },
            link_in_text=True,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems = [*_server_problems(options, credentials)]
        for name, is_required in (("from_address", True), ("reply_to", False)):
            value = str(options.get(name) or "")
            if (value or is_required) and not recipients.address_of(value):
                problems.append((name, "Write one address, like news@example.com."))
        if words := recipients.problem_of(str(options.get("recipients") or "")):
            problems.append(("recipients", words))
        if not compose.is_unsubscribe(str(options.get("unsubscribe") or "")):
            problems.append(("unsubscribe", "Write an address that begins with https://, or an e-mail address."))
        return problems

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        found: list[ContentProblem] = []
        subject = str(content.options.get("subject") or "") or content.title
        if not subject.strip():
            found.append(
                error("subject_missing", "title", "The newsletter has no subject.", "Write a title or a subject.")
            )
        elif len(subject) > LONGEST_SUBJECT:
            words = f"The subject has {len(subject)} characters; {LONGEST_SUBJECT} is the most."
            found.append(error("subject_too_long", "options.subject", words, "Shorten it."))
        size = sum(item.size for item in content.media)
        if size > MOST_BYTES:
            words = f"The files have {size / MEBIBYTE:.1f} MiB together; a mail takes {MOST_BYTES // MEBIBYTE} MiB."
            found.append(error("media_too_large", "media", words, "Make them smaller, or link to them."))
        said = str(content.options.get("recipients") or "").strip()
        if said and (words := recipients.problem_of(said)):
            found.append(error("recipients", "options.recipients", words, "Write one address a line."))
        if content.hashtags:
            words = "Hashtags are left out of a newsletter."
            found.append(
                warning("hashtags_left_out", "hashtags", words, "Write them into the text if they are wanted.")
            )
        return found

    def service_of(self, account: AccountRef) -> str:
        return f"{str(account.options.get('host') or '').lower()}:{account.options.get('port') or ''}"

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        until, account, now = http.deadline(timeout), publication.account, clock.now()
        mailing = journal.look_up(account.id, publication.key)
        if mailing is not None:
            journal.abandon(mailing, now)
        if mailing is None or not journal.is_begun(mailing):
            said = str(publication.options.get("recipients") or "").strip() or str(
                account.options.get("recipients") or ""
            )
            content = compose.content_of(publication)
            mailing = journal.opened(account.id, publication.key, content, recipients.parsed(said)[0], now)
        if mailing.finished_at is not None:
            return sending.result(mailing, now, already=True)
        return sending.carry_on(mailing, _server(account), until, may_raise=True)

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        """What the journal says. The call that left it behind is over: whoever it was sending to is unsure from now on."""
        mailing, now = journal.look_up(publication.account.id, publication.key), clock.now()
        if mailing is None:
            return None
        journal.abandon(mailing, now)
        figures = journal.figures(mailing)
        if figures.is_untried or not any(figures.of(state) for state in ("pending", "sent", "unsure")):
            return None  # nobody can have it
        return sending.result(mailing, now, already=True)

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        until, now = http.deadline(timeout), clock.now()
        mailing = journal.look_up(account.id, str(remote_state.get("key") or ""))
        if mailing is None:
            raise UnknownOutcome("The record of this newsletter's recipients is gone, so nobody can tell who has it.")
        journal.abandon(mailing, now)
        misses = int(remote_state.get("misses") or 0)
        return sending.carry_on(mailing, _server(account), until, misses=misses, may_raise=False)

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        """How many mails the server took. Opens and clicks are not tracked."""
        asked = [remote_id for remote_id in remote_ids[:100] if _is_id(remote_id)]
        return [
            Metrics(remote_id=str(mailing.public_id), values={"recipients": journal.figures(mailing).of("sent")})
            for mailing in journal.with_public_ids(account.id, asked)
        ]

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        """Greeting, encryption, sign-in, NOOP."""
        server = _server(account)
        try:
            session = mail.opened(server, time.monotonic() + timeout)
            try:
                session.noop()
            finally:
                session.close()
        except PlatformError as problem:
            said = f" It says: {problem.platform_message}" if problem.platform_message else ""
            return AccountHealth(ok=False, message=f"{problem.message_for_people}{said}")
        except mail.Broken as problem:
            return AccountHealth(ok=False, message=f"The connection to the mail server broke: {problem}")
        count = len(recipients.parsed(str(account.options.get("recipients") or ""))[0])
        who = server.username or str(account.options.get("from_address") or "")
        people = "recipient" if count == 1 else "recipients"
        return AccountHealth(ok=True, message=f"{server.host} takes mail from {who}; {count:,} {people}.", identity=who)


ADAPTER = NewsletterAdapter()


def _server(account: AccountRef) -> mail.Server:
    options = account.options
    security = str(options.get("security") or "starttls")
    return mail.Server(
        host=str(options.get("host") or ""),
        port=_port(options.get("port")) or 587,
        security=security if security in ("tls", "none") else "starttls",  # type: ignore[arg-type]
        username=str(options.get("username") or ""),
        password=str(account.credentials.get("password") or ""),
        authority=str(options.get("ca_certificate") or ""),
        allow=tuple(settings.OUTBOUND_ALLOW),
    )


def _port(value: Any) -> int:
    try:
        number = float(value or 0)
    except (TypeError, ValueError):
        return 0
    return int(number) if number.is_integer() and 0 < number < 65_536 else 0


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _server_problems(options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
    problems: list[SettingsProblem] = []
    host, user = str(options.get("host") or ""), str(options.get("username") or "")
    if not recipients.address_of(f"x@{host}") and not host.strip("[]").replace(":", "").isalnum():
        problems.append(("host", "Write the mail server's name alone, like smtp.example.com."))
    if not _port(options.get("port")):
        problems.append(("port", "Write a port between 1 and 65535."))
    if options.get("security") not in (None, "", "starttls", "tls", "none"):
        problems.append(("security", "Choose STARTTLS, TLS or none."))
    if bool(user) != bool(credentials.get("password")):
        problems.append(("password", "A user name and a password belong together: write both or none."))
    if options.get("security") == "none" and user and host.lower() not in Allowed.of(settings.OUTBOUND_ALLOW).hosts:
        problems.append(
            (
                "security",
                "Without encryption everybody on the way can read the password. Name the host in OUTBOUND_ALLOW if that is meant.",
            )
        )
    try:
        mail.context_of(str(options.get("ca_certificate") or ""))
    except (ssl.SSLError, ValueError):
        problems.append(("ca_certificate", "Write a certificate in PEM form, or nothing."))
    return problems
