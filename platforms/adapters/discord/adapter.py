"""Discord, by a channel's webhook or by a bot. A bot can look up what it posted, a webhook cannot. README.md says more."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from alwrity_scheduler.core import clock
from platforms.adapters.discord import lookup
from platforms.adapters.discord.api import OFFICIAL, WEBHOOK, File, Room, ask, code_of
from platforms.adapters.discord.lookup import NEAR, Window, nonce_of
from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Capabilities,
    MediaKind,
    MediaRef,
    MediaRule,
    Metrics,
    Publication,
    Published,
    TextRule,
    TypeRule,
)
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from platforms.problems import ContentLike, ContentProblem, error
from platforms.text.threads import parts
from platforms.validation import is_http_url

TEXT = TextRule(max=2000, unit="code_points")
FILE_BYTES, REQUEST_BYTES = 10_485_760, 26_214_400
MOST_FILES = 10
MOST_ALT = 1024
MOST_PARTS = 12
MOST_MISSES = 12
MIMES: dict[MediaKind, frozenset[str]] = {
    "image": frozenset({"image/jpeg", "image/png", "image/webp"}),
    "gif": frozenset({"image/gif"}),
    "video": frozenset({"video/mp4", "video/quicktime"}),
    "audio": frozenset({"audio/mp4", "audio/mpeg"}),
    "document": frozenset({"application/pdf"}),
}
MENTIONS = {"none": [], "users": ["users"], "all": ["users", "roles", "everyone"]}


class DiscordAdapter:
    key: str = "discord"
    label: str = "Discord"
    description: str = "A channel, by its webhook or by a bot of yours."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="webhook_url",
            label="Webhook address",
            help="Channel settings, Integrations, Webhooks, Copy address. Whoever has it can post, so it is kept secret.",
            secret=True,
        ),
        FieldSpec(
            name="bot_token",
            label="Bot token",
            help="Instead of a webhook. A bot can look up what became of a post, so that fewer posts wait for a person.",
            secret=True,
        ),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="channel_id", label="Channel", help="For a bot: the channel's id (developer mode, Copy ID)."),
        FieldSpec(name="thread_id", label="Thread", help="The id of a thread of the channel to post into."),
        FieldSpec(
            name="forum",
            label="The channel is a forum",
            help="For a webhook: every post starts a thread, named by the post's title.",
            kind="bool",
            default=False,
        ),
        FieldSpec(name="username", label="Shown name", help="For a webhook: instead of the webhook's own name."),
        FieldSpec(name="avatar_url", label="Shown picture", help="For a webhook: the picture's address.", kind="url"),
        FieldSpec(
            name="mentions",
            label="Mentions that ring",
            help="Whom a mention in a post notifies.",
            kind="choice",
            choices=(("none", "Nobody"), ("users", "The people named"), ("all", "People, roles and @everyone")),
            default="none",
        ),
        FieldSpec(name="api_url", label="API address", help=f"Only for tests; else {OFFICIAL}.", kind="url"),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="silent", label="Send silently", help="Nobody is notified.", kind="bool", default=False),
        FieldSpec(name="no_preview", label="Without link previews", kind="bool", default=False),
    )

    def capabilities(self, account: AccountRef) -> Capabilities:
        by_bot = not Room.of(account).is_webhook and bool(account.credentials.get("bot_token"))
        return Capabilities(
            content_types=frozenset({"post", "image", "video", "carousel", "thread"}),
            media_mimes=frozenset[str]().union(*MIMES.values()),
            max_media=MOST_FILES,
            max_media_bytes=FILE_BYTES,
            max_text=TEXT.max,
            can_find=by_bot,
            replays=False,  # a nonce is remembered for a few minutes only, and a look-up may come hours later
            consistency_delay_seconds=2.0,
            text=TEXT,
            media={
                kind: MediaRule(mimes=mimes, max_bytes=FILE_BYTES, max_alt=MOST_ALT) for kind, mimes in MIMES.items()
            },
            types={"carousel": TypeRule(min_media=2, max_media=MOST_FILES)},
            link_in_text=True,
            hashtags_in_text=True,
            threads=True,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems: list[SettingsProblem] = []
        webhook, token = credentials.get("webhook_url", "").strip(), credentials.get("bot_token", "").strip()
        if bool(webhook) == bool(token):
            problems.append(("webhook_url", "Give a webhook's address or a bot's token: one of the two."))
        elif webhook and not WEBHOOK.fullmatch(webhook):
            problems.append(("webhook_url", "Paste the whole address: https://discord.com/api/webhooks/…/…"))
        elif token and not (token.isascii() and token.isprintable() and " " not in token):
            problems.append(("bot_token", "Paste the token alone, without “Bot” before it."))
        channel = str(options.get("channel_id") or "").strip()
        if token and not _is_id(channel):
            problems.append(("channel_id", "Write the channel's id: only digits."))
        thread = str(options.get("thread_id") or "").strip()
        if thread and not _is_id(thread):
            problems.append(("thread_id", "Write the thread's id: only digits."))
        if options.get("forum") is True and (token or thread):
            problems.append(("forum", "Only a webhook starts threads in a forum; leave the thread empty."))
        if len(str(options.get("username") or "")) > 80:
            problems.append(("username", "Use at most 80 characters."))
        if str(options.get("mentions") or "none") not in MENTIONS:
            problems.append(("mentions", "Choose one of the listed."))
        addresses = [name for name in ("avatar_url", "api_url") if options.get(name)]
        wrong = [name for name in addresses if not is_http_url(str(options[name]))]
        return problems + [(name, "Write a whole address, or leave it empty.") for name in wrong]

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        found: list[ContentProblem] = []
        total = sum(item.size for item in content.media)
        if total > REQUEST_BYTES:
            found.append(
                error(
                    "media_too_large",
                    "media",
                    f"The files have {total / 1_048_576:.1f} MiB together; a message takes 25 MiB.",
                    "Remove one, or make them smaller.",
                )
            )
        number = len(parts(content, self.capabilities(account)))
        if number > MOST_PARTS:
            found.append(
                error(
                    "thread_too_long",
                    "text",
                    f"The thread has {number} parts; here it may have {MOST_PARTS}.",
                    "Make it shorter.",
                )
            )
        return found

    def service_of(self, account: AccountRef) -> str:
        return urlsplit(str(account.options.get("api_url") or OFFICIAL)).netloc.lower()

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        ends = clock.monotonic() + timeout
        room = Room.of(publication.account)
        state = _state(publication, parts(publication, self.capabilities(publication.account)))
        if not room.is_webhook and publication.earlier and len(state["parts"]) > 1:
            _look(room, state, Window.around(publication.scheduled_for, clock.now()), ends)
        if not state["ids"]:
            with _opened(publication.media) as files:
                message = _send(room, publication.account, state, ends, media=publication.media, files=files)
            _take(state, message)
        return _go_on(room, publication.account, state, ends)

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        ends = clock.monotonic() + timeout
        room = Room.of(publication.account)
        if room.is_webhook:
            raise UnknownOutcome(
                "A webhook cannot read the channel, so only a person can tell whether the post is there."
            )
        state = _state(publication, parts(publication, self.capabilities(publication.account)))
        try:
            _look(room, state, Window.around(publication.scheduled_for, clock.now()), ends)
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
        """The rest of a thread, by a bot: looks first, because the call before may have been lost after it was carried out."""
        ends = clock.monotonic() + timeout
        room = Room.of(account)
        state = {**remote_state, "ids": list(remote_state.get("ids") or ())}
        if room.is_webhook or not state["ids"]:
            raise UnknownOutcome("A webhook cannot read the channel, so only a person can tell what is there.")
        since = datetime.fromisoformat(state["since"])
        try:
            _look(room, state, Window(since, since), ends)
        except PlatformError as trouble:
            return _missed(state, trouble)
        return _go_on(room, account, state, ends, is_last_word=True)

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        """The words only: the files of a message stay as they are."""
        ends = clock.monotonic() + timeout
        room = Room.of(publication.account)
        channel, ids = _place(remote_id)
        texts = parts(publication, self.capabilities(publication.account))
        if len(ids) != len(texts):
            raise Rejected(
                f"The post has {len(texts)} parts now and {len(ids)} there. Delete it there and publish it anew."
            )
        for message_id, text in zip(ids, texts, strict=True):
            path, params = _message(room, publication.account, channel, message_id)
            body = {"content": text, "allowed_mentions": _mentions(publication.account)}
            ask(room, "PATCH", path, params=params, body=body, timeout=_left(ends))
        url = _address(room, channel, ids[0], ends)
        return Published(remote_id=remote_id, url=url, response={"id": remote_id, "url": url})

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        ends = clock.monotonic() + timeout
        room = Room.of(account)
        channel, ids = _place(remote_id)
        for message_id in ids:
            path, params = _message(room, account, channel, message_id)
            try:
                ask(room, "DELETE", path, params=params, timeout=_left(ends))
            except Rejected as refused:
                if code_of(refused) != "10008":  # unknown message: it is gone already
                    raise

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        """Reactions, as likes. One request a post."""
        ends = clock.monotonic() + timeout
        room = Room.of(account)
        found: list[Metrics] = []
        for remote_id in remote_ids:
            try:
                channel, ids = _place(remote_id)
                path, params = _message(room, account, channel, ids[0])
                message = ask(room, "GET", path, params=params, timeout=_left(ends))
            except Rejected:
                continue
            counts = [item.get("count", 0) for item in message.get("reactions") or () if isinstance(item, dict)]
            found.append(Metrics(remote_id=remote_id, values={"likes": sum(counts)}))
        return found

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        ends = clock.monotonic() + timeout
        room = Room.of(account)
        name = ""
        try:
            if room.is_webhook:
                hook = ask(room, "GET", "", timeout=_left(ends))
                name = str(hook.get("name") or "")
                return AccountHealth(ok=True, message=f"The webhook {name} posts into its channel.", identity=name)
            me = ask(room, "GET", "/users/@me", timeout=_left(ends))
            name = str(me.get("username") or "")
            channel = ask(room, "GET", f"/channels/{room.channel}", timeout=_left(ends))
        except PlatformError as trouble:
            said = f" ({trouble.platform_message})" if trouble.platform_message else ""
            return AccountHealth(ok=False, message=f"{trouble.message_for_people}{said}", identity=name)
        return AccountHealth(
            ok=True, message=f"{name} sees the channel {channel.get('name') or room.channel}.", identity=name
        )


ADAPTER = DiscordAdapter()


def _state(publication: Publication, texts: Sequence[str]) -> dict[str, Any]:
    """All that the rest of a thread needs, as JSON and without secrets. ids: those that are out, in order."""
    flags = (4096 if publication.options.get("silent") is True else 0) | (
        4 if publication.options.get("no_preview") is True else 0
    )
    title = publication.title.strip() or (texts[0].strip().splitlines() or ["Post"])[0]
    return {
        "key": publication.key,
        "parts": list(texts),
        "ids": [],
        "channel": "",
        "title": title[:100],
        "flags": flags,
        "since": (clock.now() - NEAR).isoformat(),
        "misses": 0,
    }


def _send(
    room: Room,
    account: AccountRef,
    state: Mapping[str, Any],
    ends: float,
    *,
    media: Sequence[MediaRef] = (),
    files: Sequence[File] = (),
) -> Mapping[str, Any]:
    """The next part."""
    number = len(state["ids"])
    body: dict[str, Any] = {"allowed_mentions": _mentions(account)}
    if text := state["parts"][number]:
        body["content"] = text
    if state["flags"]:
        body["flags"] = state["flags"]
    if media:
        body["attachments"] = [
            {"id": str(index), "filename": file[1][0], "description": item.alt[:MOST_ALT]} if item.alt
            else {"id": str(index), "filename": file[1][0]}
            for index, (item, file) in enumerate(zip(media, files, strict=True))
        ]  # fmt: skip
    if room.is_webhook:
        return _by_webhook(room, account, state, body, files, ends)
    body |= {"nonce": nonce_of(state["key"], number), "enforce_nonce": True}
    if number:
        body["message_reference"] = {"message_id": state["ids"][-1], "fail_if_not_exists": False}
    return _posted(ask(room, "POST", room.messages, body=body, files=files, timeout=_left(ends)))


def _by_webhook(
    room: Room, account: AccountRef, state: Mapping[str, Any], body: dict[str, Any], files: Sequence[File], ends: float
) -> Mapping[str, Any]:
    options = account.options
    params = {"wait": "true"}
    body |= {name: options[name] for name in ("username", "avatar_url") if options.get(name)}
    if room.thread:
        params["thread_id"] = room.thread
    elif options.get("forum") is True and state["ids"]:
        params["thread_id"] = state["channel"]
    elif options.get("forum") is True:
        body["thread_name"] = state["title"]
    return _posted(ask(room, "POST", "", body=body, params=params, files=files, timeout=_left(ends)))


def _posted(message: Any) -> Mapping[str, Any]:
    if not isinstance(message, dict) or not message.get("id"):
        raise UnknownOutcome("Discord took the post but did not say under which id.")
    return message


def _take(state: dict[str, Any], message: Mapping[str, Any]) -> None:
    state["ids"].append(str(message["id"]))
    state["channel"] = state["channel"] or str(message.get("channel_id") or "")


def _go_on(
    room: Room, account: AccountRef, state: dict[str, Any], ends: float, *, is_last_word: bool = False
) -> Published | Accepted:
    """Send what is missing of a thread. With `is_last_word` (a poll), a refusal ends the post; else the poll will say it."""
    while len(state["ids"]) < len(state["parts"]):
        try:
            _take(state, _send(room, account, state, ends))
        except PlatformError as trouble:
            if _waits_here(trouble, ends):
                continue
            if room.is_webhook:
                raise UnknownOutcome(
                    _words_of_what_is_out(state, trouble),
                    status_code=trouble.status_code,
                    platform_message=trouble.platform_message,
                    response={"message_ids": list(state["ids"])},
                ) from trouble
            if is_last_word and isinstance(trouble, Rejected | AuthFailed):
                raise Rejected(
                    _words_of_what_is_out(state, trouble),
                    status_code=trouble.status_code,
                    platform_message=trouble.platform_message,
                ) from trouble
            return _missed(state, trouble)
        state["misses"] = 0
    return _done(room, state, ends)


def _waits_here(trouble: PlatformError, ends: float) -> bool:
    """A limit that is over soon (webhooks take five messages in two seconds) is waited out within the call."""
    pause = trouble.retry_after_seconds if isinstance(trouble, RateLimited) else None
    if pause is None or clock.monotonic() + pause >= ends - 2:
        return False
    time.sleep(pause)
    return True


def _words_of_what_is_out(state: Mapping[str, Any], trouble: PlatformError) -> str:
    out, total = len(state["ids"]), len(state["parts"])
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


def _look(room: Room, state: dict[str, Any], window: Window, ends: float) -> None:
    found = lookup.present(room, state["key"], state["parts"], len(state["ids"]), window, _left(ends))
    state["ids"] += found
    state["channel"] = room.channel


def _done(room: Room, state: Mapping[str, Any], ends: float, *, already: bool = False) -> Published:
    channel = state["channel"] or room.channel
    remote_id = f"{channel}:{','.join(state['ids'])}"
    url = _address(room, channel, state["ids"][0], ends)
    return Published(remote_id=remote_id, url=url, response={"id": remote_id, "url": url}, already=already)


def _address(room: Room, channel: str, message_id: str, ends: float) -> str:
    """https://discord.com/channels/{server}/{channel}/{message}; empty when the server is not told: the post is out anyway."""
    try:
        asked = "" if room.is_webhook else f"/channels/{channel}"
        guild = ask(room, "GET", asked, timeout=min(_left(ends), 5.0)).get("guild_id")
    except PlatformError:
        return ""
    return f"https://discord.com/channels/{guild or '@me'}/{channel}/{message_id}" if channel else ""


def _message(room: Room, account: AccountRef, channel: str, message_id: str) -> tuple[str, dict[str, str]]:
    """The path of one message, and the thread it is in where a webhook must say it."""
    if not room.is_webhook:
        return f"/channels/{channel}/messages/{message_id}", {}
    in_thread = bool(room.thread) or account.options.get("forum") is True
    return f"/messages/{message_id}", {"thread_id": channel} if in_thread else {}


def _place(remote_id: str) -> tuple[str, list[str]]:
    channel, _, ids = remote_id.partition(":")
    if not _is_id(channel) or not all(_is_id(item) for item in ids.split(",")):
        raise Rejected("The post's id at Discord is not known: change it there by hand.")
    return channel, ids.split(",")


def _mentions(account: AccountRef) -> dict[str, Any]:
    return {"parse": MENTIONS.get(str(account.options.get("mentions") or "none"), [])}


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdecimal() and 5 <= len(value) <= 25


@contextmanager
def _opened(media: Sequence[MediaRef]) -> Iterator[list[File]]:
    """The files as `files[n]`, open as long as the block lasts."""
    with ExitStack() as stack:
        found: list[File] = []
        for number, item in enumerate(media):
            try:
                file = stack.enter_context(open(item.path, "rb"))
            except OSError as trouble:
                raise Unavailable(f"File {number + 1} cannot be read here, so nothing was sent.") from trouble
            found.append((f"files[{number}]", (item.name or f"file{number}", file, item.mime)))
        yield found


def _left(ends: float) -> float:
    left = ends - clock.monotonic()
    if left <= 0:
        raise Unavailable("The time for this post was over before the request was sent.")
    return left
