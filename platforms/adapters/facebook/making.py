"""A post on a page, step by step: what has been done is in `state` (JSON), and any later call can go on from there.

Order: files are uploaded where nobody sees them, one call makes the post visible, then comes the first comment. Only the one call
in the middle may leave a doubt; videos, reels and video stories have an id before it, by which the doubt is settled.
Source: developers.facebook.com: Page Feed, Page Photos, Video API (resumable upload), Reels and Stories publishing.
"""

from __future__ import annotations

from typing import Any, Literal

from platforms.adapters.facebook import finding, uploading
from platforms.contracts import Accepted, Publication, Published
from platforms.errors import AuthFailed, PlatformError, Rejected, Unavailable, UnknownOutcome
from platforms.meta_graph import Duplicate, Graph, Reply
from platforms.stepwise import Deadline, file_of, missed
from platforms.text.message import message

Kind = Literal["feed", "photo", "photos", "photo_story", "video", "reel", "video_story"]
KEYED = ("video", "reel", "video_story")  # kinds whose id is known before anybody sees them
LOOKS_NEEDED = 2
LOOK_PAUSE_SECONDS = 10.0
MOST_WAITS = 240
SITE = "https://www.facebook.com/"


def kind_of(publication: Publication) -> Kind:
    files = publication.media
    is_video = bool(files) and files[0].mime.startswith("video/")
    if publication.content_type == "story":
        return "video_story" if is_video else "photo_story"
    if is_video:
        return "reel" if publication.content_type == "reel" else "video"
    return "feed" if not files else "photo" if len(files) == 1 else "photos"


def begin(publication: Publication, capabilities: Any, taken_link: bool) -> dict[str, Any]:
    """The state of a post of which nothing is done. taken_link: the link has a field of its own."""
    return {
        "kind": kind_of(publication),
        "message": message(publication, capabilities),
        "link": publication.link if taken_link else "",
        "title": publication.title,
        "files": [file_of(item) for item in publication.media],
        "since": int(publication.scheduled_for.timestamp()) - finding.EARLY_SECONDS,
        "comment": str(publication.options.get("first_comment") or "").strip(),
        "photos": [],
    }


def publish(graph: Graph, page: str, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    """The first call. Before the visible step every error says that nothing was posted; what is uploaded by then is kept."""
    try:
        if not uploading.prepared(graph, page, state, deadline):
            return _go_on(state)
    except Unavailable as error:
        again = missed(state, error) if state["photos"] or state.get("video_id") else None
        if again is None:
            raise
        return again
    try:
        reply = _release(graph, page, state, deadline)
    except Duplicate as error:
        return _duplicate(graph, page, state, deadline, error)
    except UnknownOutcome as error:
        if state["kind"] == "photo_story":  # its photo's number tells, in a poll
            state["tried"] = True
        elif state["kind"] in KEYED:
            state["released"] = True
        else:
            raise
        return missed(state, error) or _go_on(state)
    return _after_release(graph, state, deadline, reply)


def resume(graph: Graph, page: str, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    """A later call: looks before each step that can be seen."""
    try:
        return _resume(graph, page, state, deadline)
    except Rejected:
        raise
    except PlatformError as error:
        again = missed(state, error)
        if again is not None:
            return again
        if state.get("released") or state.get("tried"):
            raise UnknownOutcome(f"Facebook gave no account of the post. {error}") from error
        raise Rejected(f"The post could not be finished, and nothing was posted. {error}") from error


def _resume(graph: Graph, page: str, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    if state.get("post_id"):
        return commented(graph, state, deadline, looks=True)
    if state.get("released"):
        return _awaited(graph, page, state, deadline)
    if not uploading.prepared(graph, page, state, deadline):
        return _go_on(state)
    if state["kind"] in KEYED:
        if _is_published(graph, state, deadline):  # by a call that never came back
            return _go_on({**state, "released": True})
        state["released"] = True
        try:
            _release(graph, page, state, deadline)
        except UnknownOutcome as error:
            return missed(state, error) or _go_on(state)
        return _go_on(state, pause=5.0)
    found = _seen(graph, page, state, deadline)
    if found is not None:
        state["already"] = True
        return _out(graph, state, deadline, found.remote_id, found.url, looks=True)
    if int(state.get("looks") or 0) + 1 < LOOKS_NEEDED:
        # a call that never came back may have posted a moment ago: look twice
        return _go_on({**state, "looks": int(state.get("looks") or 0) + 1}, pause=LOOK_PAUSE_SECONDS)
    try:
        reply = _release(graph, page, state, deadline)
    except Duplicate as error:
        return _duplicate(graph, page, state, deadline, error)
    except UnknownOutcome as error:
        state |= {"looks": 0, "tried": True}
        return missed(state, error) or _go_on(state, pause=LOOK_PAUSE_SECONDS)
    return _after_release(graph, state, deadline, reply)


def _seen(graph: Graph, page: str, state: dict[str, Any], deadline: Deadline) -> Published | None:
    if state["kind"] == "photo_story":
        return finding.story_of(graph, page, state["photos"][0], deadline.left())
    return finding.by_message(graph, page, state, deadline.left())


def _go_on(state: dict[str, Any], pause: float = 1.0) -> Accepted:
    return Accepted(remote_state=dict(state), poll_after_seconds=pause, response={"step": state["kind"]})


def _release(graph: Graph, page: str, state: dict[str, Any], deadline: Deadline) -> Reply:
    """The call that makes it visible."""
    left, words = deadline.left(), state["message"]
    match state["kind"]:
        case "feed":
            return graph.post(f"/{page}/feed", {"message": words, "link": state["link"]}, timeout=left, visible=True)
        case "photo":
            file = state["files"][0]
            fields = {"message": words, "alt_text_custom": file["alt"], "published": True}
            return uploading.photo(graph, page, file, fields, deadline, visible=True)
        case "photos":
            attached = {f"attached_media[{n}]": {"media_fbid": photo} for n, photo in enumerate(state["photos"])}
            return graph.post(f"/{page}/feed", {"message": words, **attached}, timeout=left, visible=True)
        case "photo_story":
            return graph.post(f"/{page}/photo_stories", {"photo_id": state["photos"][0]}, timeout=left, visible=True)
        case "video":
            fields = {
                "upload_phase": "finish", "upload_session_id": state["session"], "title": state["title"],
                "description": words, "published": True,
            }  # fmt: skip
            return graph.post(f"/{page}/videos", fields, timeout=left, visible=True, base=uploading.video_base(graph))
    fields = {"upload_phase": "finish", "video_id": state["video_id"]}
    if state["kind"] == "reel":
        fields |= {"video_state": "PUBLISHED", "title": state["title"], "description": words}
    return graph.post(f"/{page}/{uploading.edge(state)}", fields, timeout=left, visible=True)


def _after_release(graph: Graph, state: dict[str, Any], deadline: Deadline, reply: Reply) -> Published | Accepted:
    if state["kind"] in KEYED:
        state["released"] = True
        return _go_on(state, pause=5.0)
    post_id = reply.text("post_id") or reply.text("id")
    if not post_id:
        raise UnknownOutcome("Facebook took the post and did not say under which id.", status_code=reply.status)
    return _out(graph, state, deadline, post_id, f"{SITE}{post_id}", looks=False, reply=reply)


def _awaited(graph: Graph, page: str, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    """A video that was finished: Facebook works on it, and its id says how far it is."""
    reply = graph.get(f"/{state['video_id']}", fields="status,permalink_url,post_id", timeout=deadline.left())
    status, phase = _phases(reply)
    if status.get("video_status") in ("error", "expired", "upload_failed") or phase.get("status") == "error":
        raise Rejected(
            "Facebook could not process the video; it is not published.", platform_message=_complaint(status)
        )
    if phase.get("status") == "complete" or (status.get("video_status") == "ready" and not phase):
        url = reply.text("permalink_url")
        url = url if url.startswith("https://") else f"{SITE}{url.lstrip('/') or state['video_id']}"
        post_id = reply.text("post_id")  # without the page's number, which a post's id begins with
        post_id = f"{page}_{post_id}" if post_id and "_" not in post_id else post_id or state["video_id"]
        return _out(graph, state, deadline, post_id, url, looks=True, reply=reply)
    if phase.get("status") == "not_started" and int(state.get("misses") or 0):
        # the finish was lost on its way: the same id again makes no second video
        try:
            _release(graph, page, state, deadline)
            state["misses"] = 0
        except UnknownOutcome as error:
            return missed(state, error) or _go_on(state)
        return _go_on(state, pause=5.0)
    waits = int(state.get("waits") or 0) + 1
    if waits > MOST_WAITS:
        raise UnknownOutcome("Facebook has been processing the video for hours and does not say how it went.")
    return _go_on({**state, "waits": waits}, pause=min(5.0 * waits, 60.0))


def _is_published(graph: Graph, state: dict[str, Any], deadline: Deadline) -> bool:
    reply = graph.get(f"/{state['video_id']}", fields="status,permalink_url,post_id", timeout=deadline.left())
    return _phases(reply)[1].get("status") in ("complete", "in_progress")


def _phases(reply: Reply) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the video's status, its publishing phase); empty where Facebook does not say."""
    status = reply.data.get("status")
    status = status if isinstance(status, dict) else {}
    phase = status.get("publishing_phase")
    return status, phase if isinstance(phase, dict) else {}


def _out(
    graph: Graph,
    state: dict[str, Any],
    deadline: Deadline,
    post_id: str,
    url: str,
    *,
    looks: bool,
    reply: Reply | None = None,
) -> Published | Accepted:
    state |= {"post_id": post_id, "url": url, "misses": 0}
    return commented(graph, state, deadline, looks=looks, reply=reply)


def commented(
    graph: Graph, state: dict[str, Any], deadline: Deadline, *, looks: bool, reply: Reply | None = None
) -> Published | Accepted:
    """The last step: the first comment, once. The post is out whatever becomes of it. looks: one may be there already."""
    notes: tuple[str, ...] = ()
    post_id, words = state["post_id"], state.get("comment") or ""
    try:
        if words and not (looks and finding.has_comment(graph, post_id, words, deadline.left())):
            graph.post(f"/{post_id}/comments", {"message": words}, timeout=deadline.left(), visible=True)
    except (Rejected, AuthFailed) as error:
        notes = (f"The post is out, but Facebook refused its first comment. {error} {error.platform_message}".strip(),)
    except PlatformError as error:
        again = missed(state, error)
        if again is not None:
            return again
        notes = (f"The post is out, but whether its first comment is could not be settled. {error}",)
    return Published(
        remote_id=post_id,
        url=state["url"],
        response={"status_code": reply.status} if reply else {},
        already=bool(state.get("already")),
        rate=reply.rate if reply else None,
        notes=notes,
    )


def _duplicate(
    graph: Graph, page: str, state: dict[str, Any], deadline: Deadline, error: Duplicate
) -> Published | Accepted:
    """Facebook has the same post: ours from a call that never came back, or one of somebody else's."""
    try:
        found = finding.by_message(graph, page, state, deadline.left())
    except PlatformError as trouble:
        raise UnknownOutcome(
            f"Facebook says that it has this post, and could not be asked which it is. {trouble}",
            platform_message=error.platform_message,
        ) from trouble
    if found is None:
        raise error
    state["already"] = True
    return _out(graph, state, deadline, found.remote_id, found.url, looks=True)


def _complaint(status: dict[str, Any]) -> str:
    said = [
        str(error.get("message") or "")
        for phase in status.values() if isinstance(phase, dict)
        for error in phase.get("errors") or [phase.get("error")] if isinstance(error, dict)
    ]  # fmt: skip
    return " ".join(said)
