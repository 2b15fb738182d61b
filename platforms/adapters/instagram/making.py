"""A post on Instagram, step by step: containers that nobody sees, then one call that publishes the last of them.

The container's id is the key: Instagram publishes it once, and says of it whether it is published. So `publish` never makes the
post visible: it hands the container's id to the engine (Accepted), and only a poll, which looks first, publishes it.
Source: developers.facebook.com, Instagram Platform: Content Publishing, IG Container, media_publish.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platforms.adapters.instagram import codes, finding
from platforms.adapters.instagram.captions import caption
from platforms.contracts import Accepted, MediaRef, Publication, Published
from platforms.errors import AuthFailed, PlatformError, Rejected, UnknownOutcome
from platforms.meta_graph import Graph, Reply
from platforms.stepwise import Deadline, missed

STEP_SECONDS = 6.0
FIRST_PAUSE_SECONDS = 3.0
LONGEST_PAUSE_SECONDS = 60.0
MOST_NEW_CONTAINERS = 2
MOST_SEARCHES = 6


def begin(publication: Publication) -> dict[str, Any]:
    """What is to be made, as JSON: `items` are containers of single files, `parent` what is published."""
    options, files = publication.options, publication.media
    words = caption(publication)
    shared: dict[str, Any] = {
        "caption": words,
        "collaborators": [name.strip().lstrip("@") for name in str(options.get("collaborators") or "").split(",") if name.strip()],
        "location_id": str(options.get("location_id") or ""),
    }  # fmt: skip
    state: dict[str, Any] = {
        "caption": words,
        "since": int(publication.scheduled_for.timestamp()) - finding.EARLY_SECONDS,
        "comment": str(options.get("first_comment") or "").strip(),
        "story": publication.content_type == "story",
        "items": [],
        "container": "",
    }
    if state["story"]:
        return state | {"caption": "", "comment": "", "parent": _file(files[0]) | {"media_type": "STORIES"}}
    if len(files) == 1:
        return state | {"parent": shared | _single(files[0], options)}
    state["items"] = [{"fields": _file(item) | _child(item), "id": ""} for item in files]
    return state | {"parent": shared | {"media_type": "CAROUSEL"}}


def _file(item: MediaRef) -> dict[str, Any]:
    return {"video_url" if item.mime.startswith("video/") else "image_url": item.url}


def _single(item: MediaRef, options: Mapping[str, Any]) -> dict[str, Any]:
    if not item.mime.startswith("video/"):
        return _file(item) | {"alt_text": item.alt}
    fields: dict[str, Any] = {"media_type": "REELS", "share_to_feed": options.get("share_to_feed") is not False}
    offset = options.get("thumb_offset")
    if isinstance(offset, int | float) and not isinstance(offset, bool) and offset >= 0:
        fields["thumb_offset"] = f"{offset:.0f}"
    return _file(item) | fields


def _child(item: MediaRef) -> dict[str, Any]:
    if item.mime.startswith("video/"):
        return {"is_carousel_item": True, "media_type": "VIDEO"}
    return {"is_carousel_item": True, "alt_text": item.alt}


def prepare(graph: Graph, user: str, state: dict[str, Any], deadline: Deadline) -> Accepted:
    """Make the containers, as far as the time goes. Nothing of it is visible: every error says that nothing was posted."""
    reply: Reply | None = None
    for item in state["items"]:
        if not item["id"]:
            if not deadline.allows(STEP_SECONDS):
                return _go_on(state, 1.0)
            reply = graph.post(f"/{user}/media", item["fields"], timeout=deadline.left())
            item["id"] = _id(reply)
    if not _children_are_ready(graph, state, deadline):
        return _go_on(state, 5.0)
    if not deadline.allows(STEP_SECONDS):
        return _go_on(state, 1.0)
    fields = dict(state["parent"])
    if state["items"]:
        fields["children"] = ",".join(item["id"] for item in state["items"])
    reply = graph.post(f"/{user}/media", fields, timeout=deadline.left())
    state |= {"container": _id(reply), "misses": 0}
    return _go_on(state, FIRST_PAUSE_SECONDS, reply)


def _id(reply: Reply) -> str:
    found = reply.text("id")
    if not found:
        raise Rejected("Instagram made a container without an id; nothing was posted.")
    return found


def _children_are_ready(graph: Graph, state: dict[str, Any], deadline: Deadline) -> bool:
    """Videos of a carousel are processed first; its images are ready at once."""
    for item in state["items"]:
        if "video_url" in item["fields"] and not item.get("ready"):
            if not deadline.allows(STEP_SECONDS):
                return False
            reply = graph.get(f"/{item['id']}", fields="status_code,status", timeout=deadline.left())
            code = reply.text("status_code")
            if code in ("ERROR", "EXPIRED"):
                _refuse(code, reply.text("status"))
            if code != "FINISHED":
                return False
            item["ready"] = True
    return True


def _refuse(status_code: str, status: str) -> None:
    number = codes.of_status(status)
    if status_code == "EXPIRED":
        raise Rejected("Instagram kept the prepared post for 24 hours and it was not published in time.")
    known = codes.CODES.get(number or 0)
    words = known.words if known else "Instagram could not process the file."
    raise Rejected(f"{words} Nothing was published.", platform_message=status, response={"code": number or ""})


def resume(graph: Graph, user: str, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    """The next step, after a look at how far it is."""
    try:
        if state.get("media_id"):
            return commented(graph, state, deadline)
        if not state["container"]:
            return prepare(graph, user, state, deadline)
        return _by_status(graph, user, state, deadline)
    except Rejected:
        raise
    except PlatformError as error:
        again = missed(state, error)
        if again is not None:
            return again
        if state.get("publishing"):
            raise UnknownOutcome(f"Instagram gives no account of the post. {error}") from error
        raise Rejected(
            f"The post could not be finished, and nothing was published. {error}",
            platform_message=error.platform_message,
        ) from error


def _by_status(graph: Graph, user: str, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    reply = graph.get(f"/{state['container']}", fields="status_code,status", timeout=deadline.left())
    match reply.text("status_code"):
        case "FINISHED":
            return _publish(graph, user, state, deadline)
        case "PUBLISHED":
            return _published(graph, user, state, deadline)
        case "IN_PROGRESS":
            waits = int(state.get("waits") or 0) + 1
            pause = min(FIRST_PAUSE_SECONDS * waits, LONGEST_PAUSE_SECONDS)
            return _go_on({**state, "waits": waits, "misses": 0}, pause)
        case "ERROR" if _may_be_made_anew(state, reply.text("status")):
            for item in state["items"]:
                item |= {"id": "", "ready": False}
            return _go_on({**state, "container": "", "renewed": int(state.get("renewed") or 0) + 1}, 30.0)
        case "ERROR" | "EXPIRED" as code:
            _refuse(code, reply.text("status"))
    raise UnknownOutcome(f"Instagram says nothing of the post that can be read ({reply.text('status_code')[:40]}).")


def _may_be_made_anew(state: Mapping[str, Any], status: str) -> bool:
    return codes.of_status(status) in codes.AGAIN and int(state.get("renewed") or 0) < MOST_NEW_CONTAINERS


def _publish(graph: Graph, user: str, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    if not deadline.allows(STEP_SECONDS):
        return _go_on(state, 1.0)
    state["publishing"] = True
    try:
        reply = graph.post(
            f"/{user}/media_publish", {"creation_id": state["container"]}, timeout=deadline.left(), visible=True
        )  # fmt: skip
    except UnknownOutcome as error:
        # the next look at the container tells: PUBLISHED, or still FINISHED
        again = missed(state, error)
        if again is None:
            raise
        return again
    except Rejected:
        # refused: either the post is not taken, or a call that never came back has published it already
        state["publishing"] = False
        look = graph.get(f"/{state['container']}", fields="status_code,status", timeout=deadline.left())
        if look.text("status_code") == "PUBLISHED":
            return _published(graph, user, state, deadline)
        raise
    except PlatformError:
        state["publishing"] = False
        raise
    if not reply.text("id"):
        return _go_on(state, 5.0, reply)
    state |= {"media_id": reply.text("id"), "url": "", "misses": 0}
    try:
        state["url"] = graph.get(
            f"/{state['media_id']}", fields="permalink", timeout=deadline.left()
        ).text("permalink")  # fmt: skip
    except PlatformError:
        pass  # the post is out; its address is asked for once more below or stays empty
    return commented(graph, state, deadline, looks=False, reply=reply)


def _published(graph: Graph, user: str, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    """It is out, by a call whose answer was lost: which media is it?"""
    state |= {"publishing": True, "already": True}
    searches = int(state.get("searches") or 0) + 1
    try:
        found = finding.by_caption(graph, user, state, deadline.left(), is_out=True)
    except UnknownOutcome:  # one of several without a caption
        found, searches = None, MOST_SEARCHES
    if found is None:
        if searches < MOST_SEARCHES:
            return _go_on({**state, "searches": searches}, 5.0 * searches)
        return Published(
            remote_id=f"container:{state['container']}",
            url="",
            already=True,
            notes=("Instagram says that the post is out, and does not list it, so that its address is not known.",),
        )
    state |= {"media_id": found.remote_id, "url": found.url, "misses": 0}
    return commented(graph, state, deadline)


def commented(
    graph: Graph, state: dict[str, Any], deadline: Deadline, *, looks: bool = True, reply: Reply | None = None
) -> Published | Accepted:
    """The last step: the first comment, once. The post is out whatever becomes of it."""
    notes: tuple[str, ...] = ()
    media_id, words = state["media_id"], state.get("comment") or ""
    try:
        if words and not (looks and finding.has_comment(graph, media_id, words, deadline.left())):
            graph.post(f"/{media_id}/comments", {"message": words}, timeout=deadline.left(), visible=True)
    except (Rejected, AuthFailed) as error:
        notes = (f"The post is out, but Instagram refused its first comment. {error} {error.platform_message}".strip(),)
    except PlatformError as error:
        again = missed(state, error)
        if again is not None:
            return again
        notes = (f"The post is out, but whether its first comment is could not be settled. {error}",)
    return Published(
        remote_id=media_id,
        url=state.get("url") or "",
        response={"status_code": reply.status} if reply else {},
        already=bool(state.get("already")),
        rate=reply.rate if reply else None,
        notes=notes,
    )


def _go_on(state: dict[str, Any], pause: float, reply: Reply | None = None) -> Accepted:
    return Accepted(
        remote_state=dict(state),
        poll_after_seconds=pause,
        response={"container": state.get("container", "")},
        rate=reply.rate if reply else None,
    )
