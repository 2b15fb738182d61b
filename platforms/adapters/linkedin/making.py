"""A post on LinkedIn, step by step: files are uploaded where nobody sees them, one call makes the post, then comes the comment.

What has been done is in `state` (JSON), and a later call can go on from there; upload addresses, which only take that file, are
part of it. Source: learn.microsoft.com/linkedin: Posts, Images, Videos, Documents, MultiImage and Comments API.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from platforms.adapters.linkedin import finding
from platforms.adapters.linkedin.api import Duplicate, LinkedIn, data_of, made_at, segment
from platforms.adapters.linkedin.little import little
from platforms.contracts import Accepted, Publication, Published
from platforms.errors import AuthFailed, PlatformError, Rejected, Unavailable, UnknownOutcome
from platforms.stepwise import Deadline, file_of, missed, read

STEP_SECONDS = 6.0
LOOKS_NEEDED = 2
LOOK_PAUSE_SECONDS = 10.0
MOST_WAITS = 60
GRACE_WAITS = 6  # a member's sign-in may not ask about its video: post after about a minute
SITE = "https://www.linkedin.com/feed/update/"


def begin(publication: Publication, author: str, words: str) -> dict[str, Any]:
    """The state of a post of which nothing is done. words: the text as people read it."""
    options = publication.options
    commentary = little(words)
    files = [file_of(item) | {"kind": _kind(item.mime), "urn": ""} for item in publication.media]
    body: dict[str, Any] = {
        "author": author,
        "commentary": commentary,
        "visibility": str(options.get("visibility") or "PUBLIC"),
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": options.get("no_reshares") is True,
    }
    if publication.link and not files:
        # an article's title is required; without one its address stands there
        article = {"source": publication.link, "title": publication.title or publication.link}
        if description := str(options.get("description") or ""):
            article["description"] = description
        body["content"] = {"article": article}
    return {
        "author": author,
        "body": body,
        "files": files,
        "title": publication.title,
        "since": int(publication.scheduled_for.timestamp()) - finding.EARLY_SECONDS,
        "earlier": publication.earlier,
        "comment": str(options.get("first_comment") or "").strip(),
    }


def _kind(mime: str) -> str:
    return "videos" if mime.startswith("video/") else "documents" if mime == "application/pdf" else "images"


def publish(linked: LinkedIn, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    """The first call. Before the visible step every error says that nothing was posted; what is uploaded by then is kept."""
    try:
        if not _prepared(linked, state, deadline):
            return _go_on(state)
    except Unavailable as error:
        again = missed(state, error) if any(file["urn"] for file in state["files"]) else None
        if again is None:
            raise
        return again
    try:
        urn = _release(linked, state, deadline)
    except Duplicate as error:
        return _duplicate(linked, state, deadline, error)
    return _out(linked, state, deadline, urn, looks=False)


def resume(linked: LinkedIn, state: dict[str, Any], deadline: Deadline, *, can_find: bool) -> Published | Accepted:
    """A later call: looks before each step that can be seen, as far as LinkedIn lets it."""
    if state.get("tried") and not can_find and not state.get("urn"):
        raise UnknownOutcome(
            "LinkedIn does not let members' posts be read, so only a person can tell whether it is out."
        )
    try:
        return _resume(linked, state, deadline, can_find)
    except Rejected:
        raise
    except PlatformError as error:
        again = missed(state, error)
        if again is not None:
            return again
        if state.get("tried"):
            raise UnknownOutcome(f"LinkedIn gave no account of the post. {error}") from error
        raise Rejected(f"The post could not be finished, and nothing was posted. {error}") from error


def _resume(linked: LinkedIn, state: dict[str, Any], deadline: Deadline, can_find: bool) -> Published | Accepted:
    if state.get("urn"):
        return commented(linked, state, deadline, looks=True)
    if not _prepared(linked, state, deadline):
        return _go_on(state, pause=5.0 if _is_uploaded(state) else 1.0)
    if can_find:
        found = finding.by_commentary(linked, state["author"], state, deadline.left())
        if found is not None:
            state["already"] = True
            return _out(linked, state, deadline, found, looks=True)
        looks = int(state.get("looks") or 0) + 1
        if looks < LOOKS_NEEDED:
            # a call that never came back may have posted a moment ago: look twice
            return _go_on({**state, "looks": looks}, pause=LOOK_PAUSE_SECONDS)
    try:
        urn = _release(linked, state, deadline)
    except Duplicate as error:
        return _duplicate(linked, {**state, "earlier": True}, deadline, error)
    except UnknownOutcome as error:
        state |= {"tried": True, "looks": 0}
        return missed(state, error) or _go_on(state, pause=LOOK_PAUSE_SECONDS)
    return _out(linked, state, deadline, urn, looks=False)


def _go_on(state: dict[str, Any], pause: float = 1.0) -> Accepted:
    done = sum(bool(file.get("uploaded")) for file in state["files"])
    return Accepted(remote_state=dict(state), poll_after_seconds=pause, response={"uploaded": done})


def _is_uploaded(state: dict[str, Any]) -> bool:
    return all(file.get("uploaded") for file in state["files"])


def _prepared(linked: LinkedIn, state: dict[str, Any], deadline: Deadline) -> bool:
    """Upload what is left, and wait for a video to be processed; False when the time is over first."""
    for file in state["files"]:
        if not file.get("uploaded") and not _upload(linked, state["author"], file, deadline):
            return False
        state["misses"] = 0
    for file in state["files"]:
        if file["kind"] == "videos" and not file.get("ready") and not _is_ready(linked, file, deadline):
            return False
    return not state["files"] or deadline.allows(STEP_SECONDS)


def _upload(linked: LinkedIn, author: str, file: dict[str, Any], deadline: Deadline) -> bool:
    if not deadline.allows(STEP_SECONDS):
        return False
    if not file["urn"]:
        _initialize(linked, author, file, deadline)
    parts = file["parts"]
    for part in parts[len(file["etags"]) :]:
        if not deadline.allows(STEP_SECONDS):
            return False
        answer = linked.put(
            part["url"], read(file, part["first"], part["last"] + 1, timeout=deadline.left()), timeout=deadline.left()
        )  # fmt: skip
        file["etags"].append(answer.headers.get("etag", "").strip('"'))
    if file["kind"] == "videos":
        if not deadline.allows(STEP_SECONDS):
            return False
        order = {"video": file["urn"], "uploadToken": file["upload_token"], "uploadedPartIds": file["etags"]}
        linked.ask(
            "POST", "/rest/videos?action=finalizeUpload", json={"finalizeUploadRequest": order}, timeout=deadline.left()
        )  # fmt: skip
    file |= {"uploaded": True, "parts": []}
    return True


def _initialize(linked: LinkedIn, author: str, file: dict[str, Any], deadline: Deadline) -> None:
    kind = file["kind"]
    order: dict[str, Any] = {"owner": author}
    if kind == "videos":
        order |= {"fileSizeBytes": file["size"], "uploadCaptions": False, "uploadThumbnail": False}
    answer = linked.ask(
        "POST", f"/rest/{kind}?action=initializeUpload", json={"initializeUploadRequest": order}, timeout=deadline.left()
    )  # fmt: skip
    value = data_of(answer).get("value")
    value = value if isinstance(value, dict) else {}
    if kind == "videos":
        parts: list[dict[str, Any]] = [
            {"url": str(part["uploadUrl"]), "first": int(part["firstByte"]), "last": int(part["lastByte"])}
            for part in value.get("uploadInstructions") or []
        ]
    else:
        parts = [{"url": str(value.get("uploadUrl") or ""), "first": 0, "last": file["size"] - 1}]
    urn = str(value.get(kind[:-1]) or "")
    if not urn or not parts or not all(_is_linkedins(part["url"], linked) for part in parts):
        raise Rejected("LinkedIn named no upload address of its own; nothing was posted.")
    file |= {"urn": urn, "parts": parts, "etags": [], "upload_token": str(value.get("uploadToken") or "")}


def _is_linkedins(url: str, linked: LinkedIn) -> bool:
    """May the file and the token go there? LinkedIn's own hosts over https, or the host that the account names itself."""
    try:
        asked, own = urlsplit(url), urlsplit(linked.base)
    except ValueError:
        return False
    host = asked.hostname or ""
    if asked.scheme == "https" and (host == "linkedin.com" or host.endswith(".linkedin.com")):
        return True
    return (asked.scheme, asked.netloc) == (own.scheme, own.netloc)


def _is_ready(linked: LinkedIn, file: dict[str, Any], deadline: Deadline) -> bool:
    waits = int(file.get("waits") or 0) + 1
    file["waits"] = waits
    try:
        answer = linked.ask("GET", f"/rest/videos/{segment(file['urn'])}", timeout=deadline.left())
    except (AuthFailed, Rejected) as error:
        if error.status_code not in (403, 404):
            raise
        file["ready"] = waits > GRACE_WAITS
        return bool(file["ready"])
    status = data_of(answer).get("status")
    if status == "PROCESSING_FAILED":
        raise Rejected(
            "LinkedIn could not process the video; nothing was posted.",
            platform_message=str(data_of(answer).get("processingFailureReason") or ""),
        )
    if waits > MOST_WAITS:
        raise Rejected("LinkedIn has not finished processing the video; nothing was posted.")
    file["ready"] = status == "AVAILABLE"
    return bool(file["ready"])


def _content(state: dict[str, Any]) -> dict[str, Any]:
    files = state["files"]
    if not files:
        return {}
    if len(files) > 1:
        return {"content": {"multiImage": {"images": [_image(file) for file in files]}}}
    file = files[0]
    media = {"id": file["urn"]}
    if file["kind"] != "images":
        media["title"] = state["title"] or file["name"]
    elif file["alt"]:
        media["altText"] = file["alt"]
    return {"content": {"media": media}}


def _image(file: dict[str, Any]) -> dict[str, str]:
    return {"id": file["urn"], "altText": file["alt"]} if file["alt"] else {"id": file["urn"]}


def _release(linked: LinkedIn, state: dict[str, Any], deadline: Deadline) -> str:
    """The call that makes the post visible. Returns its URN."""
    answer = linked.ask(
        "POST", "/rest/posts", json={**state["body"], **_content(state)}, timeout=deadline.left(), visible=True
    )  # fmt: skip
    urn = answer.headers.get("x-restli-id", "").strip()
    if not urn:
        raise UnknownOutcome("LinkedIn took the post and did not say under which name.", status_code=answer.status)
    return urn


def _out(linked: LinkedIn, state: dict[str, Any], deadline: Deadline, urn: str, *, looks: bool) -> Published | Accepted:
    state |= {"urn": urn, "misses": 0}
    return commented(linked, state, deadline, looks=looks)


def commented(linked: LinkedIn, state: dict[str, Any], deadline: Deadline, *, looks: bool) -> Published | Accepted:
    """The last step: the first comment, once. The post is out whatever becomes of it."""
    notes: tuple[str, ...] = ()
    urn, words = state["urn"], state.get("comment") or ""
    try:
        if words and not (looks and finding.has_comment(linked, urn, words, deadline.left())):
            body = {"actor": state["author"], "object": urn, "message": {"text": words}}
            path = f"/rest/socialActions/{segment(urn)}/comments"
            linked.ask("POST", path, json=body, timeout=deadline.left(), visible=True)
    except (Rejected, AuthFailed) as error:
        notes = (f"The post is out, but its first comment was refused. {error} {error.platform_message}".strip(),)
    except PlatformError as error:
        again = missed(state, error)
        if again is not None:
            return again
        notes = (f"The post is out, but whether its first comment is could not be settled. {error}",)
    return Published(
        remote_id=urn, url=f"{SITE}{urn}/", response={"urn": urn}, already=bool(state.get("already")), notes=notes
    )


def _duplicate(linked: LinkedIn, state: dict[str, Any], deadline: Deadline, error: Duplicate) -> Published | Accepted:
    """LinkedIn names the post that this one repeats. Ours, if it was made since this one was due and still is there."""
    made = made_at(error.urn)
    if made is not None and made < state["since"]:
        raise Rejected(
            f"LinkedIn takes the same words only once for a while, and has them in an older post ({error.urn}). "
            "Change the text.",
            status_code=error.status_code, platform_message=error.platform_message,
        ) from error  # fmt: skip
    if made is None and not state["earlier"]:
        raise error
    try:
        linked.ask("GET", f"/rest/posts/{segment(error.urn)}", timeout=deadline.left())
    except AuthFailed:
        pass  # members' posts cannot be read; its number says that it was made just now
    except Rejected as trouble:
        if trouble.status_code != 404:
            raise UnknownOutcome(f"LinkedIn could not be asked about {error.urn}. {trouble}") from trouble
        raise Rejected(
            "LinkedIn still remembers a post with these words that was deleted. Change the text, or wait a day or two.",
            status_code=error.status_code, platform_message=error.platform_message,
        ) from error  # fmt: skip
    except PlatformError as trouble:
        raise UnknownOutcome(f"LinkedIn could not be asked about {error.urn}. {trouble}") from trouble
    state["already"] = True
    return _out(linked, state, deadline, error.urn, looks=True)
