"""A pin, step by step: a video is stored and processed first; one call makes the pin. Images travel within that call.

What is done is in `state` (JSON), and a later call can go on from there. Source: pinterest/api-description 5.23.0, pins and media.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from platforms.adapters.pinterest.api import Pinterest, data_of
from platforms.contracts import Accepted, Publication, Published
from platforms.errors import PlatformError, Rejected, UnknownOutcome
from platforms.stepwise import Deadline, file_of, missed, read

EARLY_SECONDS = 60
STEP_SECONDS = 6.0
LOOKS_NEEDED = 2
LOOK_PAUSE_SECONDS = 10.0
MOST_WAITS = 60
MOST_PAGES = 4
SITE = "https://www.pinterest.com/pin/"


def begin(publication: Publication, board: str, words: str) -> dict[str, Any]:
    """The state of a pin of which nothing is done. words: the description."""
    body = {
        "board_id": board,
        "board_section_id": str(publication.options.get("board_section_id") or ""),
        "title": publication.title,
        "description": words,
        "link": publication.link,
        "alt_text": publication.media[0].alt if publication.media else "",
    }
    return {
        "body": {name: value for name, value in body.items() if value},
        "files": [file_of(item) for item in publication.media],
        "since": int(publication.scheduled_for.timestamp()) - EARLY_SECONDS,
        "media_id": "",
    }


def is_video(state: Mapping[str, Any]) -> bool:
    return bool(state["files"]) and str(state["files"][0]["mime"]).startswith("video/")


def publish(pinterest: Pinterest, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    """The first call. Before the pin is made every error says that nothing was posted."""
    if not _prepared(pinterest, state, deadline):
        return _go_on(state, 5.0)
    return _made(pinterest, state, deadline)


def resume(pinterest: Pinterest, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    """A later call: looks before it makes the pin."""
    try:
        return _resume(pinterest, state, deadline)
    except Rejected:
        raise
    except PlatformError as error:
        again = missed(state, error)
        if again is not None:
            return again
        if state.get("tried"):
            raise UnknownOutcome(f"Pinterest gave no account of the pin. {error}") from error
        raise Rejected(f"The pin could not be finished, and nothing was posted. {error}") from error


def _resume(pinterest: Pinterest, state: dict[str, Any], deadline: Deadline) -> Published | Accepted:
    if not _prepared(pinterest, state, deadline):
        return _go_on(state, 5.0)
    found = find(pinterest, state, deadline)
    if found is not None:
        return found
    looks = int(state.get("looks") or 0) + 1
    if looks < LOOKS_NEEDED:  # a call that never came back may have made it a moment ago: look twice
        return _go_on({**state, "looks": looks}, LOOK_PAUSE_SECONDS)
    try:
        return _made(pinterest, state, deadline)
    except UnknownOutcome as error:
        state |= {"tried": True, "looks": 0}
        return missed(state, error) or _go_on(state, LOOK_PAUSE_SECONDS)


def _go_on(state: dict[str, Any], pause: float) -> Accepted:
    return Accepted(remote_state=dict(state), poll_after_seconds=pause, response={"media_id": state["media_id"]})


def _prepared(pinterest: Pinterest, state: dict[str, Any], deadline: Deadline) -> bool:
    """Store a video and wait until it is processed; False when that takes longer than this call."""
    if not deadline.allows(STEP_SECONDS):
        return False
    if not is_video(state) or state.get("ready"):
        return True
    if not state["media_id"]:
        file = state["files"][0]
        media = data_of(pinterest.ask("POST", "/media", json={"media_type": "video"}, timeout=deadline.left()))
        url, form, media_id = (
            str(media.get("upload_url") or ""),
            media.get("upload_parameters"),
            str(media.get("media_id") or ""),
        )
        if not media_id or not isinstance(form, dict):
            raise Rejected("Pinterest named no place for the video; nothing was posted.")
        if not url.startswith(("https://", pinterest.base.rpartition("/")[0])):
            raise Rejected("Pinterest named a place for the video that is not safe; nothing was posted.")
        content = read(file, 0, file["size"], timeout=deadline.left())
        pinterest.store(url, form, (file["name"], content, file["mime"]), timeout=deadline.left())
        state |= {"media_id": media_id, "misses": 0}
        return False
    return _is_processed(pinterest, state, deadline)


def _is_processed(pinterest: Pinterest, state: dict[str, Any], deadline: Deadline) -> bool:
    status = data_of(pinterest.ask("GET", f"/media/{state['media_id']}", timeout=deadline.left())).get("status")
    waits = int(state.get("waits") or 0) + 1
    if status == "failed" or waits > MOST_WAITS:
        raise Rejected("Pinterest could not process the video; nothing was posted.")
    state |= {"waits": waits, "ready": status == "succeeded", "misses": 0}
    return bool(state["ready"])


def _made(pinterest: Pinterest, state: dict[str, Any], deadline: Deadline) -> Published:
    """The call that makes the pin."""
    body = {**state["body"], "media_source": _source(state, deadline)}
    answer = pinterest.ask("POST", "/pins", json=body, timeout=deadline.left(), visible=True)
    pin = str(data_of(answer).get("id") or "")
    if not pin:
        raise UnknownOutcome("Pinterest took the pin and did not say under which id.", status_code=answer.status)
    return Published(remote_id=pin, url=f"{SITE}{pin}/", response={"status_code": answer.status})


def _source(state: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    if is_video(state):
        return {"source_type": "video_id", "media_id": state["media_id"], "cover_image_key_frame_time": 0}
    images = [
        {
            "content_type": file["mime"],
            "data": base64.b64encode(read(file, 0, file["size"], timeout=deadline.left())).decode(),
        }
        for file in state["files"]
    ]
    if len(images) > 1:
        return {"source_type": "multiple_image_base64", "items": images}
    return {"source_type": "image_base64", **images[0]}


def find(pinterest: Pinterest, state: Mapping[str, Any], deadline: Deadline) -> Published | None:
    """The board's pin with this title, description and link since it was due; None: there is none."""
    body, bookmark = state["body"], ""
    wanted = tuple(_plain(body.get(name)) for name in ("title", "description", "link"))
    for _ in range(MOST_PAGES):
        params = {"page_size": "100", **({"bookmark": bookmark} if bookmark else {})}
        data = data_of(
            pinterest.ask("GET", f"/boards/{body['board_id']}/pins", params=params, timeout=deadline.left())
        )  # fmt: skip
        rows = [row for row in data.get("items") or [] if isinstance(row, dict)]
        for row in rows:
            said = tuple(_plain(row.get(name)) for name in ("title", "description", "link"))
            if said == wanted and _at(row.get("created_at")) >= state["since"]:
                if not any(wanted):
                    raise UnknownOutcome(
                        "The board has pins without words; whether one is this only a person can tell."
                    )
                return Published(remote_id=str(row.get("id")), url=f"{SITE}{row.get('id')}/", already=True)
        bookmark = str(data.get("bookmark") or "")
        if not bookmark:
            return None
    raise UnknownOutcome("The board has too many pins to look through.")


def _plain(text: Any) -> str:
    return " ".join(unicodedata.normalize("NFC", str(text or "")).split())


def _at(text: Any) -> float:
    """`created_at` in seconds since 1970; without a zone it is UTC. 0 when it cannot be read."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return 0.0
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
