"""The tools an assistant gets. Each asks the API once or twice, and says in typed words what came of it.

The docstrings and descriptions are read by models: they say when to use what, and are part of the tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from schedules.assistants import shapes
from schedules.assistants.inside import Caller, NotDone, ask

Room = Annotated[
    str | None, Field(description="Workspace, by id or short name; only needed by who is in several of them")
]
Zone = Annotated[str | None, Field(description="IANA time zone like Europe/Berlin; default: the caller's own")]
At = Annotated[
    str,
    Field(description="ISO 8601: a wall-clock time like 2026-12-01T09:00:00 of the time zone, or one with an offset"),
]
Accounts = Annotated[list[UUID], Field(description="Ids of accounts, from list_accounts", min_length=1, max_length=200)]
PostId = Annotated[UUID, Field(description="The post's id, as `id` of a post or `schedule` of what is planned")]
JobId = Annotated[UUID, Field(description="The job's id, from list_jobs, list_posts or what_needs_me")]
Words = Annotated[list[str] | None, Field(description="Without the # sign")]


class Tools:
    """`who`: finds who asks, anew for each call."""

    def __init__(self, who: Callable[[], Caller]) -> None:
        self._who = who

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._ask("GET", path, query=query)

    def _post(self, path: str, body: Mapping[str, Any] | None = None, key: str = "") -> dict[str, Any]:
        return self._ask("POST", path, body=body, key=key)

    def _ask(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        try:
            return ask(self._who(), method, path, **given)
        except NotDone as error:
            raise ToolError(str(error)) from error

    def list_accounts(
        self,
        workspace: Room = None,
        platform: Annotated[str | None, Field(description="Like mastodon or linkedin; default: all")] = None,
    ) -> shapes.Accounts:
        """The platform accounts that posts can go out on, with their ids, state and time zone. Ask this first."""
        told = self._get("accounts/", workspace=workspace, platform=platform, page_size=200)
        return shapes.Accounts(accounts=told["results"], more=bool(told["next"]))

    def validate(
        self,
        accounts: Annotated[list[UUID] | None, Field(description="Ids of accounts, with text", max_length=200)] = None,
        text: Annotated[str, Field(description="The post's words")] = "",
        title: str = "",
        link: str = "",
        hashtags: Words = None,
        post: Annotated[UUID | None, Field(description="Instead of text and accounts: the id of a stored post")] = None,
        workspace: Room = None,
    ) -> shapes.Verdict:
        """Would this post go out now on each account, and if not, why? Checks lengths, media, sign-ins, limits and outages, each
        with its remedy. Sends and stores nothing. Use it before schedule."""
        if post is not None:
            body: dict[str, Any] = {"schedule": str(post)}
        else:
            body = {
                "content": _content(title, text, link, hashtags),
                "accounts": [str(one) for one in accounts or ()],
                **({"workspace": workspace} if workspace else {}),
            }
        told = self._post("preflight/", body)
        rows = [{**row, "length": (row["count"] or {}).get("words", "")} for row in told["accounts"]]
        return shapes.Verdict.model_validate({**told, "accounts": rows})

    def schedule(
        self,
        accounts: Accounts,
        text: Annotated[str, Field(description="The post's words")],
        at: Annotated[
            str | None, Field(description="When, once: a wall-clock time like 2026-12-01T09:00:00, or with an offset")
        ] = None,
        timezone: Annotated[
            str | None, Field(description="Of `at` and of rules: an IANA name like Europe/Berlin")
        ] = None,
        cron: Annotated[str | None, Field(description="Instead of `at`, again and again: like 0 9 * * 1-5")] = None,
        rrule: Annotated[
            str | None, Field(description="Instead of `at`: a rule of RFC 5545; `at` is then its start")
        ] = None,
        title: str = "",
        link: str = "",
        hashtags: Words = None,
        state: Annotated[
            Literal["draft", "active"], Field(description="active: it goes out at its time; draft: a person decides")
        ] = "draft",
        key: Annotated[
            str,
            Field(
                description="A name of yours for this request: sent again with it, nothing is made twice",
                max_length=255,
            ),
        ] = "",
        workspace: Room = None,
    ) -> shapes.Post:
        """Plan a post on accounts: once, or by a rule. It is a draft unless state is active. Give a key, so that a repeated call
        makes no second post."""
        body = {
            "content": _content(title, text, link, hashtags),
            "accounts": [str(one) for one in accounts],
            "rule": _rule(at, timezone, cron, rrule),
            "state": state,
            "workspace": workspace,
        }
        return _shown(self._post("schedules/", body, key))

    def reschedule(
        self,
        post_key: Annotated[str, Field(description="`key` of what is planned, from list_posts", max_length=80)],
        at: At,
        version: Annotated[int, Field(description="`version` of what is planned, from list_posts")],
        timezone: Zone = None,
        scope: Annotated[
            Literal["one", "following", "all"] | None,
            Field(description="For a time of a rule: this one, this and the following, or all of them"),
        ] = None,
        workspace: Room = None,
    ) -> shapes.Moved:
        """Give a planned post another time. Take key and version from list_posts."""
        body = {"at": at, "timezone": timezone, "version": version, "scope": scope, "workspace": workspace}
        return shapes.Moved.model_validate(self._post(f"calendar/{_safe(post_key)}/move/", body))

    def list_posts(
        self,
        since: Annotated[str, Field(description="From when on, with an offset, like 2026-12-01T00:00:00Z")],
        until: Annotated[str, Field(description="Until when (not included); at most 62 days later")],
        timezone: Zone = None,
        accounts: Annotated[list[UUID] | None, Field(description="Only these accounts")] = None,
        q: Annotated[str | None, Field(description="Words of title, text or campaign")] = None,
        conflicts: Annotated[bool | None, Field(description="Only posts that stand too close to another")] = None,
        workspace: Room = None,
    ) -> shapes.Calendar:
        """What stands on the calendar between two times: one row for each post, account and time, rules counted out."""
        wanted = ",".join(str(one) for one in accounts) if accounts else None
        told = self._get(
            "calendar/", since=since, until=until, timezone=timezone, account=wanted, q=q, conflicts=conflicts, workspace=workspace
        )  # fmt: skip
        return shapes.Calendar(timezone=told["timezone"], posts=told["results"])

    def get_post(self, post: PostId) -> shapes.Post:
        """One post: its words, accounts, rule and next time."""
        return _shown(self._get(f"schedules/{post}/"))

    def list_jobs(
        self,
        state: Annotated[
            str | None,
            Field(description="pending, running, completed, failed, missed, unconfirmed, …; several by commas"),
        ] = None,
        account: Annotated[UUID | None, Field(description="Only of this account")] = None,
        post: Annotated[UUID | None, Field(description="Only of this post")] = None,
        since: Annotated[str | None, Field(description="Planned for this time or later, with an offset")] = None,
        until: Annotated[str | None, Field(description="Planned for before this time, with an offset")] = None,
        workspace: Room = None,
    ) -> shapes.Jobs:
        """What was published, what failed and what is in hand: the newest 50 jobs, one for each post, account and time."""
        told = self._get(
            "jobs/", state=state, account=account, schedule=post, since=since, until=until, workspace=workspace
        )
        return shapes.Jobs(jobs=told["results"], more=bool(told["next"]))

    def retry(self, job: JobId) -> shapes.Job:
        """Send a failed or missed post again, at once and with all its attempts. Never for one whose outcome is not known: a person
        looks first (what_needs_me)."""
        return shapes.Job.model_validate(self._post(f"jobs/{job}/retry/"))

    def cancel(self, job: JobId) -> shapes.Job:
        """Take a planned post off one account. The other accounts and later times stay."""
        return shapes.Job.model_validate(self._post(f"jobs/{job}/cancel/"))

    def find_slot(self, accounts: Accounts) -> shapes.Slots:
        """The next free posting time of each account: one of its own times of the week at which nothing is planned yet."""
        return shapes.Slots(slots=[self._slot(one) for one in accounts])

    def _slot(self, account: UUID) -> shapes.Slot:
        told = self._get(f"accounts/{account}/slots/", count=1)
        at = next(iter(told["results"]), {"at": None, "at_local": None})
        words = "It has no posting times, or none is free within half a year. Choose a time yourself."
        return shapes.Slot.model_validate({**told, **at, "note": "" if at["at"] else words})

    def pause(self, post: PostId) -> shapes.Post:
        """Hold a post: nothing of it goes out until it is resumed."""
        return _shown(self._post(f"schedules/{post}/pause/"))

    def resume(self, post: PostId) -> shapes.Post:
        """Let a paused post go on."""
        return _shown(self._post(f"schedules/{post}/resume/"))

    def what_needs_me(
        self,
        cause: Annotated[
            Literal["unconfirmed", "failed", "missed", "sign_in", "on_hold"] | None, Field(description="Only these")
        ] = None,
        workspace: Room = None,
    ) -> shapes.Cases:
        """Posts that were not published as planned and need a decision: what happened, and what each way out would do."""
        told = self._get("recovery/", cause=cause, workspace=workspace)
        rows = [{**row, "ways_out": row["verbs"]} for row in told["results"]]
        return shapes.Cases.model_validate({"posts": rows, "more": bool(told["next"])})


# those that change nothing, and the others
READS = ("list_accounts", "validate", "list_posts", "get_post", "list_jobs", "find_slot", "what_needs_me")
WRITES = ("schedule", "reschedule", "retry", "cancel", "pause", "resume")


def _content(title: str, text: str, link: str, hashtags: list[str] | None) -> dict[str, Any]:
    return {"title": title, "text": text, "link": link, "hashtags": hashtags or []}


def _rule(at: str | None, timezone: str | None, cron: str | None, rrule: str | None) -> dict[str, Any]:
    if cron is not None:
        rule: dict[str, Any] = {"kind": "cron", "expression": cron, "start": at}
    elif rrule is not None:
        rule = {"kind": "rrule", "rrule": rrule, "start": at}
    else:
        rule = {"kind": "once", "at": at}
    return {**rule, "timezone": timezone}


def _shown(told: Mapping[str, Any]) -> shapes.Post:
    words = told["content"]
    parts = {name: words[name] for name in ("text", "link", "hashtags")}
    return shapes.Post.model_validate({**told, **parts, "rule": told["description"]})


def _safe(key: str) -> str:
    """A key is letters, digits and points: anything else would lead to another address."""
    if not key.replace(".", "").isalnum() or not key.isascii():
        raise ToolError("post_key: Take the key from list_posts, like j12.")
    return key
