"""The names in the log and what they say to people; which facts belong in it; what is odd."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# what is tried (core.sightings)
SIGHTINGS: dict[str, str | Promise] = {
    "sign_in.succeeded": _("Signed in"),
    "sign_in.failed": _("Sign-in failed"),
    "sign_in.locked": _("Sign-in locked after too many tries"),
    "signed_out": _("Signed out"),
    "mfa.added": _("Second factor added"),
    "mfa.removed": _("Second factor removed"),
    "mfa.failed": _("Second factor failed"),
    "mfa.recovery_used": _("Recovery code used"),
    "password.changed": _("Password changed"),
    "password.reset": _("Password reset"),
    "session.revoked": _("Session ended from elsewhere"),
    "provider.linked": _("Other sign-in linked"),
    "provider.unlinked": _("Other sign-in unlinked"),
    "token.refused": _("Token refused"),
    "token.used": _("Token used from a new address"),
    "app.token_refused": _("App's token refused"),
    "access.refused": _("Not allowed"),
}
# facts of these families are part of the log
FAMILIES = ("member.", "invitation.", "token.", "app.", "workspace.created")
FACTS: dict[str, str | Promise] = {
    "member.role_set": _("Role set"),
    "member.removed": _("Member removed"),
    "member.left": _("Member left"),
    "member.accounts_set": _("Accounts of a member set"),
    "invitation.sent": _("Invitation sent"),
    "invitation.accepted": _("Invitation accepted"),
    "invitation.revoked": _("Invitation taken back"),
    "token.created": _("Token made"),
    "token.changed": _("Token changed"),
    "token.rotated": _("Token replaced"),
    "token.revoked": _("Token revoked"),
    "app.registered": _("App registered"),
    "app.allowed": _("App allowed"),
    "app.revoked": _("App's access ended"),
    "app.changed": _("App changed"),
    "app.disabled": _("App switched off"),
    "app.enabled": _("App switched on"),
    "app.deleted": _("App deleted"),
    "app.secret_rotated": _("App's secret replaced"),
    "workspace.created": _("Workspace made"),
}
ALERTS: dict[str, str | Promise] = {
    "guessing": _("Many sign-ins failed for one name"),
    "spraying": _("Many sign-ins failed from one address"),
    "new_place": _("A sign-in from a network not seen before"),
    "token_elsewhere": _("A token was used from a network not seen before"),
    "token_refused": _("A token was refused many times"),
    "prying": _("Somebody was refused many times"),
    "mfa_removed": _("A second factor was removed"),
    "new_owner": _("Somebody was made an owner"),
}


def words_of(kind: str) -> str:
    """The name for people; a kind of another package that nobody named is shown as it is."""
    return str(SIGHTINGS.get(kind) or FACTS.get(kind) or kind)
