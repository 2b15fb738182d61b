"""Files on their way to Facebook, where nobody sees them yet: photos one by one, videos in pieces or through an upload address.

What is there already is in `state`, so that a later call goes on. Source: developers.facebook.com, Page Photos, Video API
(resumable upload), Reels and Stories publishing.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from platforms.errors import Rejected
from platforms.meta_graph import Graph, Reply
from platforms.stepwise import Deadline, read

PIECE = 4 * 1024 * 1024
STEP_SECONDS = 6.0  # a step is begun only when this much time is left
OFFSET_SUBCODE = 1_363_037


def prepared(graph: Graph, page: str, state: dict[str, Any], deadline: Deadline) -> bool:
    """Upload what is left; False when the time is over first."""
    match state["kind"]:
        case "photos" | "photo_story":
            return _photos(graph, page, state, deadline)
        case "video":
            return _video(graph, page, state, deadline)
        case "reel" | "video_story":
            return _rupload(graph, page, state, deadline)
    return True


def _photos(graph: Graph, page: str, state: dict[str, Any], deadline: Deadline) -> bool:
    for file in state["files"][len(state["photos"]) :]:
        if not deadline.allows(STEP_SECONDS):
            return False
        reply = photo(graph, page, file, {"published": False, "alt_text_custom": file["alt"]}, deadline, visible=False)
        state["photos"].append(reply.text("id"))
        state["misses"] = 0
    return deadline.allows(STEP_SECONDS)


def photo(
    graph: Graph, page: str, file: dict[str, Any], fields: dict[str, Any], deadline: Deadline, *, visible: bool
) -> Reply:
    content = read(file, 0, file["size"], timeout=deadline.left())
    files = {"source": (file["name"], content, file["mime"])}
    return graph.post(f"/{page}/photos", fields, files=files, timeout=deadline.left(), visible=visible)


def _video(graph: Graph, page: str, state: dict[str, Any], deadline: Deadline) -> bool:
    """Resumable upload: start, transfer piece by piece, and the finish is the visible step."""
    file = state["files"][0]
    base = video_base(graph)
    if not state.get("session"):
        fields = {"upload_phase": "start", "file_size": file["size"]}
        reply = graph.post(f"/{page}/videos", fields, timeout=deadline.left(), base=base)
        state |= {"session": reply.text("upload_session_id"), "video_id": reply.text("video_id")}
        state |= {"start": int(reply.text("start_offset") or 0), "end": int(reply.text("end_offset") or 0)}
    while state["start"] < file["size"]:
        if not deadline.allows(STEP_SECONDS):
            return False
        end = min(max(state["end"], state["start"] + 1), state["start"] + PIECE, file["size"])
        piece = read(file, state["start"], end, timeout=deadline.left())
        fields = {
            "upload_phase": "transfer", "upload_session_id": state["session"], "start_offset": str(state["start"]),
        }  # fmt: skip
        files = {"video_file_chunk": (file["name"], piece, "application/octet-stream")}
        try:
            reply = graph.post(f"/{page}/videos", fields, files=files, timeout=deadline.left(), base=base)
        except Rejected as error:
            if not _is_elsewhere(state, error):
                raise
            continue
        state |= {"start": int(reply.text("start_offset") or 0), "end": int(reply.text("end_offset") or 0), "misses": 0}
        if state["start"] == state["end"]:
            break
    return deadline.allows(STEP_SECONDS)


def _is_elsewhere(state: dict[str, Any], error: Rejected) -> bool:
    """A piece was refused because Facebook has it already (its answer was lost): go on where the error says."""
    start, end = error.response.get("start_offset"), error.response.get("end_offset")
    if error.response.get("error_subcode") != OFFSET_SUBCODE or not isinstance(start, int) or start <= state["start"]:
        return False
    state |= {"start": start, "end": end if isinstance(end, int) else start + PIECE}
    return True


def _rupload(graph: Graph, page: str, state: dict[str, Any], deadline: Deadline) -> bool:
    """Reels and video stories: start names an address, to which the file goes; it says how much it has."""
    file = state["files"][0]
    if not state.get("video_id"):
        reply = graph.post(f"/{page}/{edge(state)}", {"upload_phase": "start"}, timeout=deadline.left())
        state |= {"video_id": reply.text("video_id"), "upload_url": reply.text("upload_url")}
        if not _is_metas(state["upload_url"], graph):
            raise Rejected("Facebook named an address for the upload that is not its own; nothing was sent there.")
    elif not state.get("uploaded"):
        status = graph.get(f"/{state['video_id']}", fields="status", timeout=deadline.left()).data.get("status")
        phase = status.get("uploading_phase") if isinstance(status, dict) else None
        done = phase.get("bytes_transfered", phase.get("bytes_transferred")) if isinstance(phase, dict) else None
        state["start"] = done if isinstance(done, int) and 0 <= done <= file["size"] else 0
    if not state.get("uploaded"):
        if not deadline.allows(STEP_SECONDS):
            return False
        start = int(state.get("start") or 0)
        if start < file["size"]:
            content = read(file, start, file["size"], timeout=deadline.left())
            graph.upload(state["upload_url"], content, offset=start, size=file["size"], timeout=deadline.left())
        state |= {"uploaded": True, "misses": 0}
    return deadline.allows(STEP_SECONDS)


def edge(state: dict[str, Any]) -> str:
    return "video_reels" if state["kind"] == "reel" else "video_stories"


def video_base(graph: Graph) -> str:
    return graph.base.replace("https://graph.facebook.com/", "https://graph-video.facebook.com/", 1)


def _is_metas(url: str, graph: Graph) -> bool:
    """May the token be sent there? Facebook's own hosts over https, or the host that the account names itself."""
    try:
        asked, own = urlsplit(url), urlsplit(graph.base)
    except ValueError:
        return False
    host = asked.hostname or ""
    if asked.scheme == "https" and (host == "facebook.com" or host.endswith(".facebook.com")):
        return True
    return (asked.scheme, asked.netloc) == (own.scheme, own.netloc)
