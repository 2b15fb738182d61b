"""The way to the first post: three steps, ticked off by what is really there. Each person can put the guide away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from schedules.reads.board import Progress, progress

if TYPE_CHECKING:
    from schedules.web.context import Shell

PAGE = "first_steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`current`: the one to take next. url: where it is taken; empty where this person may not."""

    title: str
    words: str
    verb: str
    url: str
    done: bool
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    steps: tuple[Step, ...]
    dismissed: bool

    @property
    def done_count(self) -> int:
        return sum(step.done for step in self.steps)

    @property
    def complete(self) -> bool:
        return all(step.done for step in self.steps)

    @property
    def shown(self) -> bool:
        """On the dashboard, by itself."""
        return not (self.dismissed or self.complete)


def guide_of(shell: Shell) -> Guide:
    """The guide for this person in the current workspace; one query a request."""
    found = getattr(shell, "_guide", None)
    if found is None:
        found = _guide(
            shell,
            progress(shell.workspace)
            if shell.workspace
            else Progress(has_account=False, has_schedule=False, has_published=False),
        )
        shell._guide = found  # type: ignore[attr-defined]
    return found


def _guide(shell: Shell, reached: Progress) -> Guide:
    stored = shell.user.layout.get(PAGE) if shell.user else None
    taken = (reached.has_account, reached.has_schedule, reached.has_published)
    following = taken.index(False) if False in taken else -1
    texts = (
        (
            _("Connect an account"),
            _("Where posts go. The sandbox needs no credentials: try everything there first."),
            _("Connect"),
            reverse("web:account_choose") if shell.may.accounts else "",
        ),
        (
            _("Write a post"),
            _("Once or again and again, for one account or for several."),
            _("Write"),
            reverse("web:schedule_new") if shell.may.write else "",
        ),
        (
            _("See it in the calendar"),
            _("It stands at its time, and says so when it has gone out."),
            _("Look"),
            reverse("web:calendar"),
        ),
    )
    return Guide(
        steps=tuple(
            Step(title=title, words=words, verb=verb, url=url, done=done, current=place == following)
            for place, ((title, words, verb, url), done) in enumerate(zip(texts, taken, strict=True))
        ),
        dismissed=bool(isinstance(stored, dict) and stored.get("dismissed")),
    )
