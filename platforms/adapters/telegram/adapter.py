"""Telegram, by the Bot API. A bot cannot read what it has posted: what is unsure waits for a person. README.md says more."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from alwrity_scheduler.core import clock
from platforms.adapters.telegram import wording
from platforms.adapters.telegram.api import OFFICIAL, Moved, Room, ask
from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Budget,
    Capabilities,
    MediaKind,
    MediaRef,
    MediaRule,
    Publication,
    Published,
    TextRule,
    TypeRule,
)
from platforms.errors import PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from platforms.problems import ContentLike, ContentProblem, error
from platforms.text.threads import parts
from platforms.validation import is_http_url

TEXT = TextRule(max=4096, unit="code_points")
CAPTION = TextRule(max=1024, unit="code_points")
PHOTO_BYTES, FILE_BYTES = 10_000_000, 50_000_000
MOST_IN_A_GROUP = 10
MOST_PARTS = 12
EDITABLE = ("chat_id", "parse_mode", "link_preview_options")
DOCUMENTS = frozenset({"application/pdf"})
RULES: dict[MediaKind, MediaRule] = {
    "image": MediaRule(
        mimes=frozenset({"image/jpeg", "image/png", "image/webp"}),
        max_bytes=PHOTO_BYTES,
        min_ratio=1 / 20,
        max_ratio=20,
    ),
    "gif": MediaRule(mimes=frozenset({"image/gif"}), max_count=1, max_bytes=FILE_BYTES),
    "video": MediaRule(mimes=frozenset({"video/mp4", "video/quicktime"}), max_bytes=FILE_BYTES),
    "audio": MediaRule(mimes=frozenset({"audio/mp4", "audio/mpeg"}), max_bytes=FILE_BYTES),
    "document": MediaRule(mimes=DOCUMENTS, max_bytes=FILE_BYTES),
}
MIMES = frozenset[str]().union(*(rule.mimes for rule in RULES.values()))
TOKEN = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,80}")
CHAT = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}|-?[0-9]{3,20}")


@dataclass(frozen=True, slots=True)
class Sent:
    """One part of a post as it is out: its message ids (several for an album), and where people see it."""

    ids: tuple[int, ...]
    url: str
    chat: str


class TelegramAdapter:
    key: str = "telegram"
    label: str = "Telegram"
    description: str = "A channel or a group, by a bot of yours that may post there."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="bot_token",
            label="Bot token",
            help="From @BotFather, like 123456:ABC-DEF…",
            required=True,
            secret=True,
        ),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="chat_id",
            label="Channel or chat",
            help="@name of a public channel or group, or the chat's number, like -1001234567890.",
            required=True,
        ),
        FieldSpec(
            name="parse_mode",
            label="Formatting",
            help="How the text of a post is read. A link and hashtags that are added to it are always shown as they are.",
            kind="choice",
            choices=(("", "None: as it is written"), ("HTML", "HTML"), ("MarkdownV2", "MarkdownV2")),
            default="",
        ),
        FieldSpec(name="hide_previews", label="Without link previews", kind="bool", default=False),
        FieldSpec(
            name="topic_id", label="Topic", help="The number of a topic, in a group that has topics.", kind="number"
        ),
        FieldSpec(
            name="api_url",
            label="API address",
            help=f"Only for a Bot API server of your own; else {OFFICIAL}.",
            kind="url",
        ),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="silent", label="Send silently", help="People get it without a sound.", kind="bool", default=False
        ),
        FieldSpec(name="protect", label="Forbid forwarding and saving", kind="bool", default=False),
        FieldSpec(name="no_preview", label="Without a link preview", kind="bool", default=False),
    )

    def capabilities(self, account: AccountRef) -> Capabilities:
        return Capabilities(
            content_types=frozenset({"post", "image", "video", "carousel", "thread"}),
            media_mimes=MIMES,
            max_media=MOST_IN_A_GROUP,
            max_text=TEXT.max,
            max_media_bytes=FILE_BYTES,
            can_find=False,
            replays=False,
            consistency_delay_seconds=0.0,
            text=TEXT,
            caption=CAPTION,
            media=RULES,
            types={"carousel": TypeRule(min_media=2, max_media=MOST_IN_A_GROUP)},
            link_in_text=True,
            hashtags_in_text=True,
            threads=True,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems: list[SettingsProblem] = []
        token = credentials.get("bot_token", "")
        if not TOKEN.fullmatch(token):
            problems.append(("bot_token", "Paste the whole token that @BotFather gave you: digits, a colon, letters."))
        if not CHAT.fullmatch(str(options.get("chat_id") or "").strip()):
            problems.append(("chat_id", "Write @name, or the chat's number with its minus sign."))
        if str(options.get("parse_mode") or "") not in ("", "HTML", "MarkdownV2"):
            problems.append(("parse_mode", "Choose one of the listed ways."))
        topic = options.get("topic_id")
        if topic not in (None, "") and _whole(topic) is None:
            problems.append(("topic_id", "Write a whole number."))
        if options.get("api_url") and not is_http_url(str(options["api_url"])):
            problems.append(("api_url", f"Write a whole address, like {OFFICIAL}, or leave it empty."))
        return problems

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        """Documents and audio files share an album only with their own kind."""
        found: list[ContentProblem] = []
        kinds = [_method(item.mime, item.animated) for item in content.media]
        if len(kinds) > 1 and ("animation" in kinds or (set(kinds) & {"document", "audio"} and len(set(kinds)) > 1)):
            found.append(
                error(
                    "media_mixed",
                    "media",
                    "Telegram makes no album of these files together.",
                    "Use photos and videos, or only audio files, or only documents. A GIF goes alone.",
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

    def app_of(self, account: AccountRef) -> str:
        """The bot: its number, which stands before the colon of its token and is no secret."""
        number = str(account.credentials.get("bot_token") or "").partition(":")[0]
        return f"bot {number}" if number.isdecimal() else ""

    def budgets(self, account: AccountRef) -> list[Budget]:
        budgets = [Budget(scope="account", name="minute", capacity=20, period_seconds=60)]
        if self.app_of(account):
            budgets.append(Budget(scope="app", name="second", capacity=30, period_seconds=1))
        return budgets

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        ends = clock.monotonic() + timeout
        room = Room.of(publication.account)
        texts = self._texts(publication)
        notes: list[str] = []
        try:
            sent = [_first(room, publication, texts[0], ends)]
        except Moved as moved:
            # a 400: nothing was posted, so that the new id may be tried at once
            room = replace(room, chat=moved.chat)
            sent = [_first(room, publication, texts[0], ends)]
            notes.append(f"The group has the id {moved.chat} now: write it into the account's settings.")
        for number, text in enumerate(texts[1:], start=2):
            sent.append(_part(room, publication, text, sent, number, len(texts), ends))
        return _published(sent, tuple(notes))

    def _texts(self, publication: Publication) -> list[str]:
        mode = str(publication.account.options.get("parse_mode") or "")
        can = self.capabilities(publication.account)
        return parts(wording.formatted(publication, can, mode), can)

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        raise UnknownOutcome(
            "A bot cannot read a chat's messages, so only a person can tell whether the post is there."
        )

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        raise UnknownOutcome("Telegram never leaves a post half done, so there is nothing to ask about.")

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        """The words only: the files of a message stay as they are."""
        ends = clock.monotonic() + timeout
        chat, sent = _place(remote_id)
        room, texts = replace(Room.of(publication.account), chat=chat), self._texts(publication)
        if len(sent) != len(texts):
            raise Rejected(
                f"The post has {len(texts)} parts now and {len(sent)} there. Delete it there and publish it anew."
            )
        found = []
        for number, (ids, text) in enumerate(zip(sent, texts, strict=True)):
            is_caption = number == 0 and bool(publication.media)
            shared = _shared(room, publication) if is_caption else _shared(room, publication) | _preview(publication)
            fields: dict[str, Any] = {name: value for name, value in shared.items() if name in EDITABLE}
            fields |= {"message_id": ids[0], "caption" if is_caption else "text": text}
            method = "editMessageCaption" if is_caption else "editMessageText"
            try:
                result = ask(room.base, method, fields, timeout=_left(ends))
            except Rejected as refused:
                if "message is not modified" not in refused.platform_message.lower():
                    raise
                result = {}
            found.append(Sent(ids, _url(result), chat))
        return _published(found, ())

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        ends = clock.monotonic() + timeout
        chat, sent = _place(remote_id)
        room = replace(Room.of(account), chat=chat)
        for message_id in [number for ids in sent for number in ids]:
            try:
                ask(room.base, "deleteMessage", {"chat_id": room.chat, "message_id": message_id}, timeout=_left(ends))
            except Rejected as refused:
                said = refused.platform_message.lower()
                if "message to delete not found" in said or "message_id_invalid" in said:
                    continue
                if "can't be deleted" in said:
                    raise Rejected(
                        "Telegram lets a bot delete a message only within 48 hours. Delete it by hand.",
                        status_code=refused.status_code,
                        platform_message=refused.platform_message,
                    ) from refused
                raise

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        ends = clock.monotonic() + timeout
        room = Room.of(account)
        name = ""
        try:
            me = ask(room.base, "getMe", {}, timeout=_left(ends))
            name = f"@{me.get('username')}"
            chat = ask(room.base, "getChat", {"chat_id": room.chat}, timeout=_left(ends))
            asked = {"chat_id": room.chat, "user_id": me.get("id")}
            member = ask(room.base, "getChatMember", asked, timeout=_left(ends))
        except PlatformError as trouble:
            said = f" ({trouble.platform_message})" if trouble.platform_message else ""
            return AccountHealth(ok=False, message=f"{trouble.message_for_people}{said}", identity=name)
        return _health(name, chat, member)


ADAPTER = TelegramAdapter()


def _health(name: str, chat: Mapping[str, Any], member: Mapping[str, Any]) -> AccountHealth:
    place = str(chat.get("title") or chat.get("username") or chat.get("id"))
    status = member.get("status")
    if chat.get("type") == "channel":
        may = status == "creator" or (status == "administrator" and member.get("can_post_messages") is True)
        right = "can_post_messages"
    else:
        may = status in ("creator", "administrator", "member") or (
            status == "restricted" and member.get("can_send_messages") is True
        )
        right = "can_send_messages"
    if may:
        return AccountHealth(ok=True, message=f"{name} may post in {place}.", identity=name)
    words = f"{name} may not post in {place}: make it an administrator that may post messages."
    return AccountHealth(ok=False, message=words, identity=name, missing_scopes=(right,))


def _first(room: Room, publication: Publication, text: str, ends: float) -> Sent:
    """The first message, or the album, with the post's files."""
    media = publication.media
    shared = _shared(room, publication)
    if not media:
        return _sent(
            ask(room.base, "sendMessage", shared | _preview(publication) | {"text": text}, timeout=_left(ends))
        )
    with _opened(media) as files:
        if len(media) == 1:
            item, kind = media[0], _method(media[0].mime, media[0].animated)
            fields = shared | {"caption": text} | (_size(item) if kind == "video" else {})
            if not files[0]:
                fields[kind] = item.url
            method = f"send{kind.title()}"
            sent = [(kind, files[0])] if files[0] else []
            return _sent(ask(room.base, method, fields, timeout=_left(ends), files=sent))
        album, sent = [], []
        for number, (item, file) in enumerate(zip(media, files, strict=True)):
            kind = _method(item.mime, item.animated)
            entry = {"type": kind, "media": f"attach://file{number}" if file else item.url}
            if number == 0:
                entry |= {"caption": text, "parse_mode": shared.get("parse_mode") or ""}
            album.append({name: value for name, value in entry.items() if value})
            if file:
                sent.append((f"file{number}", file))
        fields = {name: value for name, value in shared.items() if name != "parse_mode"} | {"media": album}
        return _sent(ask(room.base, "sendMediaGroup", fields, timeout=_left(ends), files=sent))


def _part(
    room: Room, publication: Publication, text: str, sent: Sequence[Sent], number: int, total: int, ends: float
) -> Sent:
    """A further part of a thread, as a reply to the one before. The parts before it are out, so that every trouble ends with
    a person, who is told what is there: a bot cannot look, and a part sent by a later call might be there twice."""
    fields = _shared(room, publication) | _preview(publication)
    fields |= {"text": text, "reply_parameters": {"message_id": sent[-1].ids[0], "allow_sending_without_reply": True}}
    while True:
        try:
            return _sent(ask(room.base, "sendMessage", fields, timeout=_left(ends)))
        except RateLimited as limited:
            pause = limited.retry_after_seconds
            if pause is None or clock.monotonic() + pause >= ends - 1:
                raise _stopped(sent, number, total, limited) from limited
            time.sleep(pause)
        except PlatformError as trouble:
            raise _stopped(sent, number, total, trouble) from trouble


def _stopped(sent: Sequence[Sent], number: int, total: int, trouble: PlatformError) -> UnknownOutcome:
    out = "Part 1 is out" if len(sent) == 1 else f"Parts 1 to {len(sent)} are out"
    where = f" ({sent[0].url})" if sent[0].url else ""
    unsure = isinstance(trouble, UnknownOutcome)
    what = "may be there or not" if unsure else "was not sent"
    return UnknownOutcome(
        f"{out}{where} of {total}; part {number} {what}: {trouble.message_for_people} "
        "Add what is missing by hand, or delete what is there before you publish it again.",
        status_code=trouble.status_code,
        platform_message=trouble.platform_message,
        response={"message_ids": _joined(sent)},
    )


def _published(sent: Sequence[Sent], notes: tuple[str, ...]) -> Published:
    remote_id = _joined(sent)
    url = sent[0].url
    return Published(remote_id=remote_id, url=url, response={"id": remote_id, "url": url}, notes=notes)


def _joined(sent: Sequence[Sent]) -> str:
    """`-1001:11+12,13`: the chat, a thread's parts by commas, an album's messages by plus signs. With the chat, because the
    account may post elsewhere by the time somebody deletes it."""
    return f"{sent[0].chat}:" + ",".join("+".join(str(number) for number in item.ids) for item in sent)


def _place(remote_id: str) -> tuple[str, list[tuple[int, ...]]]:
    try:
        chat, ids = remote_id.rsplit(":", 1)
        return chat, [tuple(int(number) for number in part.split("+")) for part in ids.split(",")]
    except ValueError as trouble:
        raise Rejected("The post's number at Telegram is not known: change it there by hand.") from trouble


def _shared(room: Room, publication: Publication) -> dict[str, Any]:
    options, post = publication.account.options, publication.options
    return {
        "chat_id": room.chat,
        "message_thread_id": _whole(options.get("topic_id")),
        "parse_mode": str(options.get("parse_mode") or "") or None,
        "disable_notification": post.get("silent") is True,
        "protect_content": post.get("protect") is True,
    }


def _preview(publication: Publication) -> dict[str, Any]:
    hidden = True in (publication.account.options.get("hide_previews"), publication.options.get("no_preview"))
    return {} if not hidden else {"link_preview_options": {"is_disabled": True}}


def _sent(result: Any) -> Sent:
    messages = result if isinstance(result, list) else [result]
    ids = tuple(
        item["message_id"] for item in messages if isinstance(item, dict) and isinstance(item.get("message_id"), int)
    )
    if not ids or len(ids) != len(messages):
        raise UnknownOutcome("Telegram took the post but did not say under which number.")
    chat = messages[0].get("chat")
    return Sent(ids, _url(messages[0]), str(chat.get("id", "")) if isinstance(chat, dict) else "")


def _url(message: Any) -> str:
    """Where people see a message: only channels and supergroups have addresses, private ones for their members."""
    chat = message.get("chat") if isinstance(message, dict) else None
    if not isinstance(chat, dict):
        return ""
    if chat.get("username"):
        return f"https://t.me/{chat['username']}/{message.get('message_id')}"
    number = str(chat.get("id", ""))
    return f"https://t.me/c/{number[4:]}/{message.get('message_id')}" if number.startswith("-100") else ""


def _method(mime: str, is_animated: bool) -> str:
    """The name of the field that takes the file, which is also the end of its method's name."""
    if mime == "image/gif":
        return "animation"
    kind = mime.partition("/")[0]
    return {"image": "photo", "video": "video", "audio": "audio"}.get(kind, "document")


def _size(item: MediaRef) -> dict[str, Any]:
    seconds = None if item.seconds is None else round(item.seconds)
    return {"width": item.width, "height": item.height, "duration": seconds, "supports_streaming": True}


@contextmanager
def _opened(media: Sequence[MediaRef]) -> Iterator[list[Any]]:
    """The files as httpx takes them, open as long as the block lasts; None for one that Telegram is to fetch itself."""
    with ExitStack() as stack:
        found: list[Any] = []
        for number, item in enumerate(media):
            if not item.path:
                found.append(None)
                continue
            try:
                file = stack.enter_context(open(item.path, "rb"))
            except OSError as trouble:
                raise Unavailable(f"File {number + 1} cannot be read here, so nothing was sent.") from trouble
            found.append((item.name or f"file{number}", file, item.mime))
        yield found


def _whole(value: Any) -> int | None:
    try:
        return int(str(value)) if value not in (None, "") else None
    except ValueError:
        return None


def _left(ends: float) -> float:
    """Seconds for the next request; before the first byte of it, so that nothing of it can have gone out."""
    left = ends - clock.monotonic()
    if left <= 0:
        raise Unavailable("The time for this post was over before the request was sent.")
    return left
