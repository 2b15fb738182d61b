"""Slack, by a bot or by an incoming webhook. A bot can look up what it posted, a webhook cannot. README.md says more."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from alwrity_scheduler.core import clock
from platforms.adapters.slack import files, lookup, mrkdwn, signing_in
from platforms.adapters.slack.api import OFFICIAL, WEBHOOK, Room, ask, error_of, name_of
from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Budget,
    Capabilities,
    ClientApp,
    Grant,
    MediaKind,
    MediaRule,
    Metrics,
    Place,
    Publication,
    Published,
    Refreshed,
    TextRule,
    TypeRule,
)
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from platforms.outbound import call
from platforms.problems import ContentLike, ContentProblem, error
from platforms.text.threads import parts
from platforms.validation import is_http_url

TEXT = TextRule(max=40_000, unit="characters", recommended=4_000)
CAPTION = TextRule(max=mrkdwn.SECTION * mrkdwn.MOST_SECTIONS, unit="characters", recommended=3_000)
MOST_FILES = 10
FILE_BYTES = 1_000_000_000
MOST_PARTS = 12
MOST_MISSES = 12
READY_SECONDS = 3.0  # a file that was just uploaded cannot be shown at once
MIMES: dict[MediaKind, frozenset[str]] = {
    "image": frozenset({"image/jpeg", "image/png"}),
    "gif": frozenset({"image/gif"}),
    "video": frozenset({"video/mp4", "video/quicktime"}),
    "audio": frozenset({"audio/mp4", "audio/mpeg"}),
    "document": frozenset({"application/pdf"}),
}
CHANNEL = re.compile(r"[CGD][A-Z0-9]{5,20}")
NEEDED = ("chat:write", "channels:history", "files:write", "reactions:read")


class SlackAdapter:
    key: str = "slack"
    label: str = "Slack"
    description: str = "A channel, by an app of yours or by an incoming webhook."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="bot_token", label="Bot token", help="xoxb-…, from your app's page OAuth & Permissions.", secret=True
        ),
        FieldSpec(
            name="webhook_url",
            label="Incoming webhook",
            help="Instead of a bot token. Only text, and nobody can look up, change or delete a post by it.",
            secret=True,
        ),
        FieldSpec(
            name="refresh_token", label="Refresh token", help="Only for an app with token rotation.", secret=True
        ),
        FieldSpec(
            name="client_secret", label="Client secret", help="Only for an app with token rotation.", secret=True
        ),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="channel_id",
            label="Channel",
            help="For a bot: the channel's id, like C0123456789, at the end of the channel's details.",
        ),
        FieldSpec(name="hide_previews", label="Without link previews", kind="bool", default=False),
        FieldSpec(name="client_id", label="Client id", help="Only for an app with token rotation."),
        FieldSpec(name="api_url", label="API address", help=f"Only for tests; else {OFFICIAL}.", kind="url"),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="no_preview", label="Without link previews", kind="bool", default=False),
    )
    scopes: tuple[str, ...] = signing_in.SCOPES
    uses_pkce: bool = False
    sign_in_fields: tuple[str, ...] = ()

    def capabilities(self, account: AccountRef) -> Capabilities:
        by_webhook = bool(Room.of(account).webhook)
        return Capabilities(
            content_types=frozenset({"post"} if by_webhook else {"post", "image", "video", "carousel", "thread"}),
            media_mimes=frozenset() if by_webhook else frozenset[str]().union(*MIMES.values()),
            max_media=0 if by_webhook else MOST_FILES,
            max_text=TEXT.max,
            max_media_bytes=FILE_BYTES,
            can_find=not by_webhook and bool(account.credentials.get("bot_token")),
            replays=False,
            consistency_delay_seconds=2.0,
            text=TEXT,
            caption=CAPTION,
            media={
                kind: MediaRule(
                    mimes=mimes, max_bytes=FILE_BYTES, max_alt=files.MOST_ALT if kind in ("image", "gif") else None
                )
                for kind, mimes in MIMES.items()
            },
            types={"carousel": TypeRule(min_media=2, max_media=MOST_FILES)},
            link_in_text=True,
            hashtags_in_text=True,
            threads=not by_webhook,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems: list[SettingsProblem] = []
        webhook, token = credentials.get("webhook_url", "").strip(), credentials.get("bot_token", "").strip()
        if bool(webhook) == bool(token):
            problems.append(("bot_token", "Give a bot token or a webhook's address: one of the two."))
        elif webhook and not WEBHOOK.fullmatch(webhook):
            problems.append(("webhook_url", "Paste the whole address: https://hooks.slack.com/services/…"))
        elif token and not re.fullmatch(r"xox[a-z.]+-[A-Za-z0-9.-]{5,400}", token):
            problems.append(("bot_token", "Paste the whole token: it begins with xoxb-."))
        if token and not CHANNEL.fullmatch(str(options.get("channel_id") or "").strip()):
            problems.append(("channel_id", "Write the channel's id, like C0123456789, not its name."))
        if options.get("api_url") and not is_http_url(str(options["api_url"])):
            problems.append(("api_url", "Write a whole address, or leave it empty."))
        if credentials.get("refresh_token") and not (credentials.get("client_secret") and options.get("client_id")):
            problems.append(("client_id", "A refresh token needs the app's client id and client secret."))
        return problems

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        number = len(parts(content, self.capabilities(account)))
        if number <= MOST_PARTS:
            return []
        words = f"The thread has {number} parts; here it may have {MOST_PARTS}."
        return [error("thread_too_long", "text", words, "Make it shorter.")]

    def offers(self, account: AccountRef) -> frozenset[str]:
        """A webhook tells no id, so nothing can be done with a post afterwards."""
        return frozenset() if Room.of(account).webhook else frozenset({"delete", "edit", "metrics"})

    def service_of(self, account: AccountRef) -> str:
        return urlsplit(str(account.options.get("api_url") or OFFICIAL)).netloc.lower()

    def budgets(self, account: AccountRef) -> list[Budget]:
        """One message a second and channel, with short bursts. https://docs.slack.dev/apis/web-api/rate-limits"""
        return [Budget(scope="account", name="minute", capacity=60, period_seconds=60)]

    def can_refresh(self, account: AccountRef) -> bool:
        return signing_in.can_refresh(account)

    def refresh(self, account: AccountRef, *, timeout: float) -> Refreshed:
        return signing_in.refresh(account, timeout=timeout)

    def authorize_url(self, app: ClientApp, *, state: str, challenge: str) -> str:
        return signing_in.authorize_url(app, state=state)

    def exchange(self, app: ClientApp, *, code: str, verifier: str, timeout: float) -> Grant:
        return signing_in.exchange(app, code=code, timeout=timeout)

    def places(self, app: ClientApp, grant: Grant, *, timeout: float) -> Sequence[Place]:
        return signing_in.places(app, grant, timeout=timeout)

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        ends = clock.monotonic() + timeout
        room = Room.of(publication.account)
        texts = parts(publication, self.capabilities(publication.account))
        if room.webhook:
            return _by_webhook(room, publication, texts[0], ends)
        state = _state(room, publication, texts)
        if publication.earlier and len(texts) > 1:
            _look(room, state, ends)
        if not state["ids"] and publication.media:
            state["stored"] = files.uploaded(room, publication.media, lambda: _left(ends))
        return _go_on(room, state, ends)

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        ends = clock.monotonic() + timeout
        room = Room.of(publication.account)
        if room.webhook:
            raise UnknownOutcome(
                "A webhook cannot read the channel, so only a person can tell whether the post is there."
            )
        state = _state(room, publication, parts(publication, self.capabilities(publication.account)))
        try:
            _look(room, state, ends)
        except PlatformError as trouble:
            raise UnknownOutcome(
                f"The look-up told nothing. {trouble}",
                status_code=trouble.status_code,
                platform_message=trouble.platform_message,
            ) from trouble
        if not state["ids"]:
            return None
        if len(state["ids"]) < len(state["parts"]):
            return Accepted(remote_state=state, poll_after_seconds=1.0)
        return _done(room, state, ends, already=True)

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        """What is left of a post: looks first, because the call before may have been lost after it was carried out."""
        ends = clock.monotonic() + timeout
        room = Room.of(account)
        if room.webhook or "parts" not in remote_state:
            raise UnknownOutcome("A webhook cannot read the channel, so only a person can tell what is there.")
        state = {**remote_state, "ids": list(remote_state.get("ids") or ())}
        try:
            _look(room, state, ends)
        except PlatformError as trouble:
            return _missed(state, trouble)
        return _go_on(room, state, ends, is_last_word=True)

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        """The words; images stay as they are."""
        ends = clock.monotonic() + timeout
        room = Room.of(publication.account)
        channel, ids = _place(room, remote_id)
        texts = parts(publication, self.capabilities(publication.account))
        if len(ids) != len(texts):
            raise Rejected(
                f"The post has {len(texts)} parts now and {len(ids)} there. Delete it there and publish it anew."
            )
        for number, (ts, text) in enumerate(zip(ids, texts, strict=True)):
            body: dict[str, Any] = {"channel": channel, "ts": ts, "text": mrkdwn.escaped(text)}
            if number == 0 and publication.media:
                body["blocks"] = mrkdwn.sections(text) + _kept_blocks(room, channel, ts, ends)
            ask(room, "chat.update", body=body, timeout=_left(ends))
        url = _permalink(room, channel, ids[0], ends)
        return Published(remote_id=remote_id, url=url, response={"id": remote_id, "url": url})

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        ends = clock.monotonic() + timeout
        room = Room.of(account)
        channel, ids = _place(room, remote_id)
        for ts in ids:
            try:
                ask(room, "chat.delete", body={"channel": channel, "ts": ts}, timeout=_left(ends))
            except Rejected as refused:
                if name_of(refused) != "message_not_found":
                    raise

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        """Reactions, as likes, and replies. One request a post."""
        ends = clock.monotonic() + timeout
        room = Room.of(account)
        found: list[Metrics] = []
        for remote_id in remote_ids:
            try:
                channel, ids = _place(room, remote_id)
                params = {"channel": channel, "timestamp": ids[0], "full": "true"}
                message = ask(room, "reactions.get", params=params, timeout=_left(ends)).data.get("message") or {}
            except Rejected:
                continue
            likes = sum(int(item.get("count") or 0) for item in message.get("reactions") or ())
            values = {"likes": likes, "replies": int(message.get("reply_count") or 0) - (len(ids) - 1)}
            found.append(Metrics(remote_id=remote_id, values={name: max(0, value) for name, value in values.items()}))
        return found

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        ends = clock.monotonic() + timeout
        room = Room.of(account)
        if room.webhook:
            words = "A webhook cannot be tested without posting. Its address looks right; the first post will show."
            return AccountHealth(ok=True, message=words, identity="incoming webhook")
        name = ""
        try:
            me = ask(room, "auth.test", body={}, timeout=_left(ends))
            name = f"{me.data.get('user')} in {me.data.get('team')}"
            missing = _missing(me.headers)
            if "chat:write" in missing:
                words = "The app may not post: add the scope chat:write and install it again."
                return AccountHealth(ok=False, message=words, identity=name, missing_scopes=missing)
            return _of_channel(room, name, missing, ends)
        except PlatformError as trouble:
            said = f" ({trouble.platform_message})" if trouble.platform_message else ""
            return AccountHealth(ok=False, message=f"{trouble.message_for_people}{said}", identity=name)


ADAPTER = SlackAdapter()


def _missing(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The scopes that the token lacks; none where Slack does not say which it has."""
    said = headers.get("x-oauth-scopes")
    if said is None:
        return ()
    given = {item.strip() for item in said.split(",")}
    return tuple(
        scope
        for scope in NEEDED
        if scope not in given and not (scope == "channels:history" and "groups:history" in given)
    )


def _of_channel(room: Room, name: str, missing: tuple[str, ...], ends: float) -> AccountHealth:
    try:
        channel = ask(room, "conversations.info", params={"channel": room.channel}, timeout=_left(ends)).data["channel"]
    except (AuthFailed, KeyError):  # it may post without being allowed to look at the channel
        words = f"{name} answers; whether it is in the channel cannot be told without the scope channels:read."
        return AccountHealth(ok=True, message=words, identity=name, missing_scopes=missing)
    place = f"#{channel.get('name') or room.channel}"
    if channel.get("is_archived"):
        return AccountHealth(
            ok=False, message=f"The channel {place} is archived.", identity=name, missing_scopes=missing
        )
    if channel.get("is_member") is False:
        words = f"{name} is not in {place}: invite it there with /invite."
        return AccountHealth(ok=False, message=words, identity=name, missing_scopes=missing)
    lacking = f" Without {', '.join(missing)} some things will not work." if missing else ""
    return AccountHealth(
        ok=True, message=f"{name} may post in {place}.{lacking}", identity=name, missing_scopes=missing
    )


def _state(room: Room, publication: Publication, texts: Sequence[str]) -> dict[str, Any]:
    """All that the rest of the post needs, as JSON and without secrets. ids: the `ts` of those parts that are out, in order."""
    return {
        "key": publication.key,
        "parts": list(texts),
        "ids": [],
        "channel": room.channel,
        "stored": [],
        "unfurl": _shows_previews(publication),
        "oldest": lookup.since(publication.scheduled_for, clock.now()),
        "misses": 0,
    }


def _shows_previews(publication: Publication) -> bool:
    return True not in (publication.account.options.get("hide_previews"), publication.options.get("no_preview"))


def _send(room: Room, state: Mapping[str, Any], ends: float) -> str:
    """The next part; returns its ts."""
    number = len(state["ids"])
    text, stored = state["parts"][number], state["stored"] if number == 0 else []
    links = files.links(stored)
    body: dict[str, Any] = {
        "channel": state["channel"],
        "text": "\n".join(piece for piece in (mrkdwn.escaped(text), links) if piece),
        "metadata": lookup.metadata(state["key"], number),
    }
    if pictures := files.blocks(stored):
        below = [{"type": "section", "text": {"type": "mrkdwn", "text": links}}] if links else []
        body["blocks"] = mrkdwn.sections(text) + below + pictures
    if not state["unfurl"]:
        body |= {"unfurl_links": False, "unfurl_media": False}
    if number:
        body["thread_ts"] = state["ids"][0]
    ts = ask(room, "chat.postMessage", body=body, timeout=_left(ends)).data.get("ts")
    if not isinstance(ts, str) or not ts:
        raise UnknownOutcome("Slack took the post but did not say under which number.")
    return ts


def _go_on(room: Room, state: dict[str, Any], ends: float, *, is_last_word: bool = False) -> Published | Accepted:
    """Send what is missing. With `is_last_word` (a poll), a refusal ends the post; else the poll will say it."""
    while len(state["ids"]) < len(state["parts"]):
        try:
            state["ids"].append(_send(room, state, ends))
        except PlatformError as trouble:
            if state["ids"] and _waits_here(trouble, ends):
                continue
            if _not_ready(trouble, state):
                return Accepted(remote_state={**state, "misses": state["misses"] + 1}, poll_after_seconds=READY_SECONDS)
            if not state["ids"] and not is_last_word:
                raise
            if is_last_word and isinstance(trouble, Rejected | AuthFailed):
                raise Rejected(
                    _words_of_what_is_out(state, trouble),
                    status_code=trouble.status_code,
                    platform_message=trouble.platform_message,
                ) from trouble
            return _missed(state, trouble)
        state["misses"] = 0
    return _done(room, state, ends)


def _not_ready(trouble: PlatformError, state: Mapping[str, Any]) -> bool:
    """Slack refuses a message that shows a file it is still working on; a little later it takes it."""
    is_refused = isinstance(trouble, Rejected) and name_of(trouble) in ("invalid_blocks", "invalid_blocks_format")
    return is_refused and bool(state["stored"]) and not state["ids"] and state["misses"] < 5


def _waits_here(trouble: PlatformError, ends: float) -> bool:
    """A limit that is over soon (one message a second) is waited out within the call."""
    pause = trouble.retry_after_seconds if isinstance(trouble, RateLimited) else None
    if pause is None or clock.monotonic() + pause >= ends - 2:
        return False
    time.sleep(pause)
    return True


def _words_of_what_is_out(state: Mapping[str, Any], trouble: PlatformError) -> str:
    out, total = len(state["ids"]), len(state["parts"])
    if not out:
        return trouble.message_for_people
    what = "may be there or not" if isinstance(trouble, UnknownOutcome) else "was not sent"
    is_out = "Part 1 is out" if out == 1 else f"Parts 1 to {out} are out"
    return (
        f"{is_out} of {total}; part {out + 1} {what}: {trouble.message_for_people} "
        "Add what is missing by hand, or delete what is there before you publish it again."
    )


def _missed(state: dict[str, Any], trouble: PlatformError) -> Accepted:
    """Ask again, each time later; a rate limit says itself when."""
    misses = int(state.get("misses") or 0) + 1
    if misses >= MOST_MISSES:
        raise UnknownOutcome(_words_of_what_is_out(state, trouble)) from trouble
    wait = trouble.retry_after_seconds if isinstance(trouble, RateLimited) else None
    return Accepted(
        remote_state={**state, "misses": misses},
        poll_after_seconds=max(wait or 0.0, min(2.0**misses, 600.0)),
        response={"waits_for": trouble.message_for_people},
    )


def _look(room: Room, state: dict[str, Any], ends: float) -> None:
    """Put the parts that are there, and that `state` does not know of, into it."""
    if not state["ids"]:
        root = lookup.first(room, state["key"], state["oldest"], _left(ends))
        if not root:
            return
        state["ids"] = [root]
    if len(state["parts"]) > 1:
        found = lookup.replies(room, state["key"], state["ids"][0], _left(ends))
        while (ts := found.get(len(state["ids"]))) is not None:
            state["ids"].append(ts)


def _done(room: Room, state: Mapping[str, Any], ends: float, *, already: bool = False) -> Published:
    remote_id = f"{state['channel']}:{','.join(state['ids'])}"
    url = _permalink(room, state["channel"], state["ids"][0], ends)
    return Published(remote_id=remote_id, url=url, response={"id": remote_id, "url": url}, already=already)


def _permalink(room: Room, channel: str, ts: str, ends: float) -> str:
    """The message's address; empty when Slack does not tell it: the post is out anyway."""
    try:
        params = {"channel": channel, "message_ts": ts}
        link = ask(room, "chat.getPermalink", params=params, timeout=min(_left(ends), 5.0)).data.get("permalink")
    except PlatformError:
        return ""
    return link if isinstance(link, str) and is_http_url(link) else ""


def _kept_blocks(room: Room, channel: str, ts: str, ends: float) -> list[dict[str, Any]]:
    """The images of a message that is out."""
    params = {"channel": channel, "latest": ts, "oldest": ts, "inclusive": "true", "limit": "1"}
    messages = ask(room, "conversations.history", params=params, timeout=_left(ends)).data.get("messages") or [{}]
    kept = [
        {"type": "image", "slack_file": {"id": block["slack_file"]["id"]}, "alt_text": block.get("alt_text") or "image"}
        for block in messages[0].get("blocks") or ()
        if block.get("type") == "image" and (block.get("slack_file") or {}).get("id")
    ]
    if not kept:
        raise Rejected("Slack does not tell the post's images any more. Delete it there and publish it anew.")
    return kept


def _by_webhook(room: Room, publication: Publication, text: str, ends: float) -> Published:
    body: dict[str, Any] = {"text": mrkdwn.escaped(text)}
    if not _shows_previews(publication):
        body |= {"unfurl_links": False, "unfurl_media": False}
    answer = call("POST", room.webhook, json=body, timeout=_left(ends))
    if answer.status == 200 and answer.text().strip() == "ok":
        # a webhook tells no id: ours stands for it
        return Published(remote_id=f"webhook:{publication.key}", url="", response={"status_code": 200})
    raise error_of(answer)


def _place(room: Room, remote_id: str) -> tuple[str, list[str]]:
    channel, _, ids = remote_id.partition(":")
    if room.webhook or not CHANNEL.fullmatch(channel) or not re.fullmatch(r"[0-9]+\.[0-9]+(,[0-9]+\.[0-9]+)*", ids):
        raise Rejected("The post's number at Slack is not known: change it there by hand.")
    return channel, ids.split(",")


def _left(ends: float) -> float:
    left = ends - clock.monotonic()
    if left <= 0:
        raise Unavailable("The time for this post was over before the request was sent.")
    return left
