"""The only writer of invitations: ask somebody by mail to join, ask again, take it back, accept.

The link's secret is kept as its SHA-256 and works once, for seven days. The mail goes after the commit; where none can be
sent, whoever invites gets the link to hand over.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces import rules
from alwrity_scheduler.workspaces.keys import digest, new_link
from alwrity_scheduler.workspaces.members import SEE_ALL, set_role
from alwrity_scheduler.workspaces.models import ROLE_WORDS, Invitation, Membership, User, Workspace
from alwrity_scheduler.workspaces.roles import Role

logger = logging.getLogger(__name__)
LIFE = timedelta(days=7)
# the address is the roof's to know (alwrity_scheduler/urls.py); a test keeps it true
JOIN_PAGE = "/join/%s/"


@unit()
def invite(
    *, workspace: Workspace, email: str, role: str, actor: Actor, now: datetime, person: User | None = None,
    accounts: Sequence[str] | None = None,
) -> tuple[Invitation, str]:  # fmt: skip
    """Ask somebody to join in a role. Returns the row and the link's secret, which cannot be had again.

    accounts: public ids of the accounts that the new member will see; None is all. Raises Refused, NotAllowed.
    """
    rules.known_role(role)
    rules.not_above_the_actor(role, actor, workspace)
    address = rules.mail_address(email)
    rules.not_a_member_yet(workspace, address)
    if accounts is not None and role in {*SEE_ALL, Role.REVIEWER.value}:
        raise Refused(Problem(field="accounts", message=_("This role is not narrowed to accounts. Leave them out.")))
    for old in open_ones(workspace).filter(email=address):
        if old.expires_at > now:
            words = _("This address is invited already. Send the invitation again, or take it back first.")
            raise Refused(Problem(field="email", message=words, code="invited"))
        Invitation.objects.filter(pk=old.pk).update(revoked_at=now)
    secret = new_link()
    row = Invitation(
        workspace=workspace, email=address, role=role, accounts=None if accounts is None else list(accounts),
        digest=digest(secret), invited_by=person, created_at=now, expires_at=now + LIFE,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        words = _("This address is invited already. Send the invitation again, or take it back first.")
        raise Refused(Problem(field="email", message=words, code="invited")) from None
    emit(_fact("invitation.sent", row, actor, now, after={"email": address, "role": role}))
    _send_after_commit(row, secret, actor, now)
    return row, secret


@unit()
def resend(*, invitation: Invitation, actor: Actor, now: datetime) -> tuple[Invitation, str]:
    """A new link for another seven days; the old link ends. Returns the row and the secret. Raises Refused when it has ended."""
    row = _open(invitation)
    rules.not_above_the_actor(row.role, actor, row.workspace)
    secret = new_link()
    row.digest, row.expires_at, row.sent_at = digest(secret), now + LIFE, None
    row.save(update_fields=["digest", "expires_at", "sent_at"])
    emit(_fact("invitation.resent", row, actor, now, after={"email": row.email}))
    _send_after_commit(row, secret, actor, now)
    return row, secret


@unit()
def take_back(*, invitation: Invitation, actor: Actor, now: datetime) -> Invitation:
    """The link works no more. Raises Refused when it was accepted; asking twice changes nothing."""
    if Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(revoked_at=now):
        emit(_fact("invitation.revoked", invitation, actor, now, before={"email": invitation.email}))
    invitation.refresh_from_db()
    if invitation.accepted_at is not None:
        words = _("It was accepted already. Take the member out instead.")
        raise IllegalTransition(Problem(field="invitation", message=words, code="accepted"))
    return invitation


def invitation_of(secret: str, now: datetime) -> Invitation | None:
    """The invitation that this secret opens now; None when there is none, or it has ended."""
    rows = Invitation.objects.select_related("workspace", "invited_by").filter(accepted_at=None, revoked_at=None)
    found: Invitation | None = rows.filter(digest=digest(secret), expires_at__gt=now).first()
    return found


def open_ones(workspace: Workspace) -> Any:
    """Neither accepted nor taken back; some may have expired."""
    return Invitation.objects.filter(workspace=workspace, accepted_at=None, revoked_at=None)


@unit()
def accept(*, invitation: Invitation, person: User, actor: Actor, now: datetime) -> Membership:
    """Join. Works once. Raises Refused when it has ended, or when the person is in already."""
    mine = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=now)
    if not mine.update(accepted_at=now, accepted_by=person):
        words = _("This invitation does not work any more. Ask for a new one.")
        raise IllegalTransition(Problem(field="invitation", message=words, code="ended"))
    workspace = invitation.workspace
    if Membership.objects.filter(workspace=workspace, user=person).exists():
        words = _("You are in %(name)s already.") % {"name": workspace.name}
        raise Refused(Problem(field="invitation", message=words, code="member"))
    membership = set_role(workspace=workspace, user=person, role=invitation.role, actor=actor, now=now)
    after = {"user": person.get_username(), "role": invitation.role}
    emit(_fact("invitation.accepted", invitation, actor, now, before={"email": invitation.email}, after=after))
    return membership


def new_person(*, invitation: Invitation, username: str, name: str, password: str) -> User:
    """Make the person who was invited, in the caller's transaction. Raises Refused at the field."""
    given = " ".join(name.split())
    first, _space, last = given.partition(" ")
    person = User(
        username=User.normalize_username(username.strip()), email=invitation.email, first_name=first, last_name=last,
        timezone=invitation.workspace.timezone,
    )  # fmt: skip
    problems: list[Problem] = []
    if User.objects.filter(email__iexact=invitation.email).exists():
        words = _("Somebody with this address is known here. Sign in as them, and open the link again.")
        problems.append(Problem(field="email", message=words, code="known"))
    try:
        person.full_clean(exclude=["password"])
    except ValidationError as error:
        for field, messages in error.message_dict.items():
            shown = "name" if field in ("first_name", "last_name") else field
            problems += [Problem(field=shown, message=words) for words in messages]
    try:
        validate_password(password, person)
    except ValidationError as error:
        problems += [Problem(field="password", message=words, code="password") for words in error.messages]
    if problems:
        raise Refused(problems)
    person.set_password(password)
    person.save()
    return person


def link_of(secret: str) -> str:
    return str(settings.PUBLIC_URL) + JOIN_PAGE % secret


def _open(invitation: Invitation) -> Invitation:
    row: Invitation = (
        Invitation.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=invitation.pk)
    )
    if row.accepted_at is not None or row.revoked_at is not None:
        words = _("This invitation has ended. Invite the address anew.")
        raise IllegalTransition(Problem(field="invitation", message=words, code="ended"))
    return row


def _send_after_commit(row: Invitation, secret: str, actor: Actor, now: datetime) -> None:
    if settings.EMAIL_READY:
        transaction.on_commit(lambda: _send(row, secret, actor, now))


def _send(row: Invitation, secret: str, actor: Actor, now: datetime) -> None:
    """Outside of transactions. When it fails the invitation stays unsent, which its list says."""
    subject = f"{actor.label} invites you to {row.workspace.name}"
    words = (
        f"{actor.label} invites you to {row.workspace.name} in ALwrity Scheduler, as "
        f"{str(ROLE_WORDS[Role(row.role)]).lower()}.\n\nOpen this link to join. It works once, until "
        f"{row.expires_at:%Y-%m-%d %H:%M} UTC:\n{link_of(secret)}\n\n"
        "If you do not know what this is about, do nothing.\n"
    )
    try:
        connection = get_connection(timeout=settings.EMAIL_TIMEOUT)
        EmailMessage(" ".join(subject.split()), words, to=[row.email], connection=connection).send()
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("An invitation could not be sent: %s.", type(error).__name__, extra={"action": "mail_failed"})
        return
    Invitation.objects.filter(pk=row.pk, digest=row.digest).update(sent_at=now)
    row.sent_at = now


def _fact(
    name: str, row: Invitation, actor: Actor, now: datetime, *,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, workspace_id=row.workspace_id, object_type="invitation", object_id=str(row.public_id),
        object_label=row.email, before=before or {}, after=after or {},
    )  # fmt: skip
