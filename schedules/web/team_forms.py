"""The forms of the team's pages: inviting, a member's accounts, a token's scopes, and joining. Services check sense."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from alwrity_scheduler.workspaces.models import ROLE_WORDS, ApiToken
from alwrity_scheduler.workspaces.roles import RANK, Role
from alwrity_scheduler.workspaces.scopes import AREAS
from platforms.models import PlatformAccount
from schedules.web.forms import RefusableForm

EVERY, SOME = "every", "some"
# the areas of workspaces.scopes, in words
AREA_WORDS = {
    "content": (gettext_lazy("Posts"), gettext_lazy("words, versions, templates and hashtags")),
    "media": (gettext_lazy("Media"), gettext_lazy("the library and its folders")),
    "schedules": (gettext_lazy("Schedules"), gettext_lazy("times, calendar, milestones, slots and conflicts")),
    "jobs": (gettext_lazy("Jobs"), gettext_lazy("jobs, the recovery desk and posts that are out")),
    "reviews": (gettext_lazy("Review"), gettext_lazy("approval and its rules")),
    "accounts": (gettext_lazy("Accounts"), gettext_lazy("platform accounts, groups and sign-in apps")),
    "analytics": (gettext_lazy("Analytics"), gettext_lazy("figures and reports")),
    "notifications": (gettext_lazy("Notifications"), gettext_lazy("what a person is told")),
    "webhooks": (gettext_lazy("Webhooks"), gettext_lazy("outgoing webhooks and inbound hooks")),
    "events": (gettext_lazy("History"), gettext_lazy("the history and its live stream")),
    "workspace": (gettext_lazy("Workspace"), gettext_lazy("workspaces, members, invitations and tokens")),
}
WAYS = (
    ("", pgettext_lazy("scope", "Nothing")),
    ("read", pgettext_lazy("scope", "Read")),
    ("write", pgettext_lazy("scope", "Read and change")),
)
LIVES = (
    ("30", gettext_lazy("In 30 days")),
    ("90", gettext_lazy("In 90 days")),
    ("365", gettext_lazy("In a year")),
    ("", gettext_lazy("Never")),
)
KEEP = "keep"


def role_choices(*, people: bool) -> list[tuple[str, Any]]:
    """People may be outside reviewers, tokens may not."""
    roles = [*RANK, Role.REVIEWER] if people else RANK
    return [(role.value, ROLE_WORDS[role]) for role in roles]


class TeamForm(RefusableForm):
    @property
    def problems(self) -> list[tuple[str, str, str]]:
        """(field, label, words) of each, for the list above the form."""
        return [
            (
                name if name in self.fields else "",
                str(self.fields[name].label) if name in self.fields else "",
                str(words),
            )
            for name, found in self.errors.items()
            for words in found
        ]


class GrantingForm(TeamForm):
    """Every account, or the ticked ones. Boxes are drawn by the page (people/partials/_grants.html)."""

    which = forms.ChoiceField(
        choices=[(EVERY, gettext_lazy("Every account")), (SOME, gettext_lazy("Only these accounts"))],
        required=False,
        initial=EVERY,
        label=gettext_lazy("Accounts"),
        widget=forms.RadioSelect,
    )
    accounts = forms.TypedMultipleChoiceField(
        coerce=UUID, required=False, label=gettext_lazy("Accounts"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, accounts: Sequence[PlatformAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.everyone = accounts
        self.fields["accounts"].choices = [(str(row.public_id), row.name) for row in accounts]  # type: ignore[attr-defined]
        self.fields["accounts"].error_messages["invalid_choice"] = _("Choose accounts of this workspace.")

    def granted(self) -> list[UUID] | None:
        """None is every account."""
        return self.cleaned_data["accounts"] if self.cleaned_data.get("which") == SOME else None

    @property
    def boxes(self) -> list[tuple[str, PlatformAccount, bool]]:
        """(id, account, is ticked), in order."""
        ticked = {str(value) for value in self["accounts"].value() or ()}
        return [(str(row.public_id), row, str(row.public_id) in ticked) for row in self.everyone]

    @property
    def is_some(self) -> bool:
        return bool(self["which"].value() == SOME)


class GrantsForm(GrantingForm):
    """A member's accounts."""


class InviteForm(GrantingForm):
    email = forms.EmailField(
        max_length=254,
        label=gettext_lazy("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), initial="author")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices(people=True)  # type: ignore[attr-defined]


class TokenForm(GrantingForm):
    """A token: new, or (with `token`) to be changed, whose role stays."""

    name = forms.CharField(
        max_length=120, label=gettext_lazy("Name"), help_text=gettext_lazy("Who or what will use it.")
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), initial="author")
    expires = forms.ChoiceField(required=False, label=gettext_lazy("It ends"), initial="365")
    networks = forms.CharField(
        required=False,
        max_length=4000,
        label=gettext_lazy("Works only from"),
        help_text=gettext_lazy("Addresses or networks like 192.0.2.0/24, one a line. Empty: from anywhere."),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocomplete": "off"}),
    )
    reach = forms.ChoiceField(
        required=False,
        initial=EVERY,
        label=gettext_lazy("What it may ask for"),
        choices=[
            (EVERY, gettext_lazy("Everything its role may")),
            (SOME, gettext_lazy("Only these areas, within its role")),
        ],
        widget=forms.RadioSelect,
    )
    # what services call it
    names = {"expires_at": "expires", "scopes": "reach"}

    def __init__(self, *args: Any, token: ApiToken | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lives: list[tuple[str, Any]] = list(LIVES)
        if token is None:
            self.fields["role"].choices = role_choices(people=False)  # type: ignore[attr-defined]
        else:
            del self.fields["role"]
            lives.insert(0, (KEEP, _("As it is")))
        self.fields["expires"].choices = lives  # type: ignore[attr-defined]
        for area in AREAS:
            self.fields[f"scope_{area}"] = forms.ChoiceField(
                required=False, choices=WAYS, label=AREA_WORDS[area][0], widget=forms.RadioSelect
            )

    @staticmethod
    def of(token: ApiToken, accounts: Sequence[PlatformAccount]) -> dict[str, Any]:
        """The initial values that show a token as it is. `accounts`: those granted."""
        ways: dict[str, str] = {}
        for scope in sorted(token.scopes):
            area, _colon, way = scope.partition(":")
            ways[f"scope_{area}"] = way
        return {
            "name": token.name,
            "expires": KEEP,
            "networks": "\n".join(token.networks),
            "reach": SOME if token.scopes else EVERY,
            "which": SOME if token.is_limited else EVERY,
            "accounts": [str(row.public_id) for row in accounts],
            **ways,
        }

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("reach") == SOME and not self._scopes(data):
            self.add_error("reach", _("Choose at least one area that it may read."))
        return data

    def _scopes(self, data: dict[str, Any]) -> list[str]:
        if data.get("reach") != SOME:
            return []
        return [f"{area}:{data[f'scope_{area}']}" for area in AREAS if data.get(f"scope_{area}")]

    def values(self, now: datetime) -> dict[str, Any]:
        """For the service that makes or changes it."""
        data = self.cleaned_data
        found: dict[str, Any] = {
            "name": data["name"],
            "scopes": self._scopes(data),
            "networks": data["networks"].replace(",", "\n").split(),
            "accounts": self.granted(),
        }
        if "role" in data:
            found["role"] = data["role"]
        if data["expires"] != KEEP:
            found["expires_at"] = now + timedelta(days=int(data["expires"])) if data["expires"] else None
        return found

    @property
    def reaches_some(self) -> bool:
        return bool(self["reach"].value() == SOME)

    @property
    def areas(self) -> list[tuple[str, Any, Any, list[tuple[str, Any, bool]]]]:
        """(field, title, words, (way, its words, is chosen)…) of each area, for the grid."""
        return [
            (
                f"scope_{area}",
                *AREA_WORDS[area],
                [(way, words, (self[f"scope_{area}"].value() or "") == way) for way, words in WAYS],
            )
            for area in AREAS
        ]


class JoinForm(TeamForm):
    """Somebody new: how they are called and sign in."""

    name = forms.CharField(
        max_length=150, label=gettext_lazy("Your name"), widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    username = forms.CharField(
        max_length=150,
        label=gettext_lazy("User name"),
        help_text=gettext_lazy("You sign in with it."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "spellcheck": "false", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        max_length=256,
        strip=False,
        label=gettext_lazy("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
