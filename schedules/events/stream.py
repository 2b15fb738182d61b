"""The live stream: the facts of the workspaces one may see, as server-sent events (HTML Standard, section 9.2).

Each event's `id` is the place in every chain that is listened to (`12-345`, or `12-345.15-20` for two), so that whoever comes back
with it misses nothing. A stream ends by itself after some minutes, and at once when whoever listens may no longer: clients come
back by themselves. Where too many listen already, the answer says what is new and ends: the client is back to polling.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import NotAllowed, Problem, Refused
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.querysets import visible_workspace_ids
from schedules.events.hub import MOST_READ, Listener, Told, ends_of, give_back, hub, tell
from schedules.models import AuditLog

HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 30.0
RETRY_MS = 3_000
RETRY_FULL_MS = 5_000
MOST_CHAINS = 50
GENERAL = 0  # the chain of what belongs to no workspace


@dataclass(slots=True)
class Session:
    """One who listens. places: chain -> up to where it was sent. still: who it is by now, or None when they may no longer."""

    user: Any
    places: dict[int, int]
    still: Callable[[], Any | None]
    types: frozenset[str] = frozenset()
    began: float = field(default_factory=clock.monotonic)
    checked: float = field(default_factory=clock.monotonic)

    def chunks(self) -> Iterator[str]:
        """What was not sent yet, event by event. Asks the database only for what the hub does not have."""
        sent = dict(self.places)
        for chain in sorted(self.places):
            while found := self._next(chain):
                for told in found:
                    self.places[chain] = told.seq
                    if told.text and (not self.types or told.type in self.types):
                        sent = dict(self.places)
                        yield f"id: {place_text(sent)}\ndata: {told.text}\n\n"
                if len(found) < MOST_READ:
                    break
        if sent != self.places:
            # nothing of it is for this one; the place moves on all the same
            yield f"id: {place_text(self.places)}\n\n"

    def _next(self, chain: int) -> Sequence[Told]:
        if not _is_limited(self.user):
            known = hub.after(chain, self.places[chain])
            if known is not None:
                return known
        rows = AuditLog.objects.visible_to(self.user).filter(chain=chain, seq__gt=self.places[chain]).order_by("seq")
        return tell(list(rows[:MOST_READ]))

    def opening(self, retry: int) -> str:
        return f"retry: {retry}\nid: {place_text(self.places)}\n\n"

    def may_go_on(self) -> bool:
        """Asked after each wait. Asks the database every CHECK_SECONDS."""
        now = clock.monotonic()
        if hub.is_stopping or now - self.began > settings.STREAM["seconds"]:
            return False
        if now - self.checked < CHECK_SECONDS:
            return True
        self.checked = now
        user = self.still()
        if user is None:
            return False
        self.user = user
        seen = visible_chains(user)
        self.places = {chain: seq for chain, seq in self.places.items() if seen is None or chain in seen}
        return bool(self.places)


def open_session(
    user: Any, *, workspace: Workspace | None, types: frozenset[str], last_id: str, still: Callable[[], Any | None]
) -> Session:
    """Refused when the place is none, or when more workspaces are meant than one stream carries; NotAllowed without any."""
    if workspace is not None:
        chains = {workspace.pk}
    else:
        seen = visible_chains(user)
        # an administrator's: all there are
        chains = {GENERAL, *Workspace.objects.order_by().values_list("pk", flat=True)} if seen is None else seen
    if not chains:
        raise NotAllowed(
            Problem(field="workspace", message="You are in no workspace. Ask an owner to add you.", code="not_allowed")
        )
    if len(chains) > MOST_CHAINS:
        words = f"A stream carries at most {MOST_CHAINS} workspaces: say which with workspace=."
        raise Refused(Problem(field="workspace", message=words, code="required"))
    ends = ends_of(chains)
    given = places_of(last_id) if last_id else {}
    places = {chain: min(given.get(chain, end), end) for chain, end in ends.items()}
    return Session(user=user, places=places, still=still, types=types)


def run(session: Session) -> Iterator[str]:
    """For servers with threads. Ends with the client: the heart-beat cannot be written any more, and the iterator is closed."""
    bell = threading.Event()
    listener = Listener(frozenset(session.places), bell.set)
    if not hub.join(listener):
        yield from _short(session)
        return
    try:
        yield session.opening(RETRY_MS)
        while True:
            bell.clear()
            yield from session.chunks()
            give_back()
            if not bell.wait(HEARTBEAT_SECONDS):
                yield ":\n\n"
            if not session.may_go_on():
                return
    finally:
        hub.leave(listener)
        give_back()


async def run_async(session: Session) -> AsyncIterator[str]:
    """For servers with an event loop: no thread is held."""
    loop, bell = asyncio.get_running_loop(), asyncio.Event()
    listener = Listener(frozenset(session.places), lambda: _ring(loop, bell))
    if not hub.join(listener):
        for chunk in await _aside(lambda: list(_short(session))):
            yield chunk
        return
    try:
        yield session.opening(RETRY_MS)
        while True:
            bell.clear()
            for chunk in await _aside(lambda: list(session.chunks())):
                yield chunk
            try:
                await asyncio.wait_for(bell.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield ":\n\n"
            if not await _aside(session.may_go_on):
                return
    finally:
        hub.leave(listener)


def visible_chains(user: Any) -> set[int] | None:
    """None means all."""
    ids = visible_workspace_ids(user)
    if ids is None:
        return None
    return set(Workspace.objects.filter(pk__in=ids).order_by().values_list("pk", flat=True))


def place_text(places: Mapping[int, int]) -> str:
    return ".".join(f"{chain}-{seq}" for chain, seq in sorted(places.items()))


def places_of(text: str) -> dict[int, int]:
    """Raises Refused for what is no id of a stream."""
    found = {}
    for part in text.split("."):
        chain, dash, seq = part.partition("-")
        if not (dash and all(word.isascii() and word.isdecimal() and len(word) < 19 for word in (chain, seq))):
            words = "This is no id of an event of this stream. Send the last id that you were sent, or none."
            raise Refused(Problem(field="last_event_id", message=words))
        found[int(chain)] = int(seq)
    return found


def _short(session: Session) -> Iterator[str]:
    yield session.opening(RETRY_FULL_MS)
    yield from session.chunks()


def _is_limited(user: Any) -> bool:
    """Somebody who sees only some accounts: what they see is asked for one by one."""
    token = getattr(user, "api_token", None)
    return bool(getattr(token or user, "is_limited", False))


def _ring(loop: asyncio.AbstractEventLoop, bell: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(bell.set)
    except RuntimeError:
        pass  # the loop is over, and its streams with it


async def _aside(work: Callable[[], Any]) -> Any:
    def inside() -> Any:
        try:
            return work()
        finally:
            give_back()

    return await sync_to_async(inside, thread_sensitive=False)()
