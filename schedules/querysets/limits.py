"""What a limited person or token sees of schedules and of what hangs on them, and what an outside reviewer sees of posts.

Asked by `limits` and `for_review` of the querysets here, and only for those who are narrowed. Models are asked for by name, because
they stand above.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import CharField, Exists, Func, OuterRef, Q

from alwrity_scheduler.workspaces.querysets import reviewed_workspace_ids
from platforms.querysets import granted_account_ids


def _all(name: str, *, of: str = "schedules") -> Any:
    return apps.get_model(of, name)._default_manager.order_by()


def open_schedules(user: Any, *, path: str = "pk") -> Q:
    """Schedules on at least one account granted, and those on none yet that the person made; a token sees all that are on none,
    since nothing says who made them. `path` leads to the schedule."""
    mine = _all("Target").filter(account_id__in=granted_account_ids(user))
    if path == "pk":
        on_mine = Exists(mine.filter(schedule_id=OuterRef("pk")))
        on_none = ~Exists(_all("Target").filter(schedule_id=OuterRef("pk")))
        return Q(on_mine) | (Q(on_none) & (Q(created_by=user.pk) if user.pk else Q()))
    seen = _all("Schedule").filter(open_schedules(user))
    return Q(**{f"{path}__in": seen.values("pk")})


def open_content(user: Any, *, path: str = "pk") -> Q:
    """Posts that are scheduled nowhere, or on something that is seen."""
    of_it = _all("Schedule").filter(content_id=OuterRef("pk"))
    found = Q(~Exists(of_it)) | Q(Exists(of_it.filter(open_schedules(user))))
    if path == "pk":
        return found
    return Q(**{f"{path}__in": _all("ContentItem").filter(found).values("pk")})


def reviews_of(user: Any) -> Any:
    """The reviews in the workspaces where this person is an outside reviewer."""
    return _all("Review").filter(workspace_id__in=reviewed_workspace_ids(user))


def schedules_for_review(user: Any, *, path: str = "pk") -> Q:
    """Schedules about which there is a review that an outside reviewer may read."""
    return Q(**{f"{path}__in": reviews_of(user).values("schedule_id")})


def content_for_review(user: Any, *, path: str = "pk") -> Q:
    return Q(**{f"{path}__in": reviews_of(user).values("schedule__content_id")})


def media_for_review(user: Any) -> Q:
    """The files of the posts that an outside reviewer may read."""
    shown = _all("ContentMedia").filter(content_for_review(user, path="content_id"))
    return Q(pk__in=shown.values("asset_id"))


class _Dashed(Func):
    """A UUID as its text, as the history writes it. SQLite keeps 32 digits without dashes."""

    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = compiler.compile(self.source_expressions[0])
        spans = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        joined = " || '-' || ".join(f"substr({sql}, {start}, {length})" for start, length in spans)
        return f"({joined})", tuple(params) * len(spans)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = compiler.compile(self.source_expressions[0])
        return f"({sql})::text", tuple(params)


def dashed_ids(rows: Any) -> Any:
    """The public ids of these rows as the history and notices write them, as a lazy value for `__in`."""
    return rows.order_by().annotate(named=_Dashed("public_id")).values("named")


# facts about what belongs to no account: everybody of the workspace reads them
_OF_ALL = ("workspace", "media", "media_folder", "milestone", "content_template", "hashtag_group", "campaign", "engine")


def open_facts(user: Any) -> Q:
    """The history of what is seen, and of what belongs to no account. Kinds of things that are not named here are left out."""
    accounts = granted_account_ids(user)
    seen = {
        "account": _all("PlatformAccount", of="platforms").filter(pk__in=accounts),
        "job": _all("Job").filter(account_id__in=accounts),
        "schedule": _all("Schedule").filter(open_schedules(user)),
        "content": _all("ContentItem").filter(open_content(user)),
    }
    found = Q(object_type__in=_OF_ALL)
    for kind, rows in seen.items():
        found |= Q(object_type=kind, object_id__in=dashed_ids(rows))
    return found
