"""What a video or sound is, asked of ffprobe where it is installed and of PyAV otherwise; and a still of a video.

Both read the local file only, as what its content says it is: a playlist in disguise opens nothing else.
"""

from __future__ import annotations

import io
import json
import logging
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

logger = logging.getLogger(__name__)
PROBE_SECONDS = 20
STILL_SECONDS = 20
_QUIET = ("-v", "error", "-protocol_whitelist", "file", "-f", "mov")


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """Sides as people see it, in pixels; seconds it plays. details: fps, video_codec, audio_codec, where known."""

    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    details: dict[str, Any] = field(default_factory=dict)


def probe(path: str) -> Film | None:
    """What the file is; None when nothing here can read it."""
    return _by_ffprobe(path) or _by_av(path)


def still(path: str) -> Image.Image | None:
    """A picture from near the beginning; None when nothing here can make one."""
    program = shutil.which("ffmpeg")
    if program:
        command = [program, "-nostdin", *_QUIET, "-i", path, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"]
        made = _run(command, STILL_SECONDS)
        if made:
            return Image.open(io.BytesIO(made))
    return _still_by_av(path)


def _run(command: list[str], seconds: int) -> bytes:
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)  # noqa: S603 - no shell; path is ours
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.warning("%s failed: %s", command[0], error, extra={"action": "probe_failed"})
        return b""
    return done.stdout if done.returncode == 0 else b""


def _by_ffprobe(path: str) -> Film | None:
    program = shutil.which("ffprobe")
    if program is None:
        return None
    told = _run([program, *_QUIET, "-show_format", "-show_streams", "-of", "json", path], PROBE_SECONDS)
    return film_of(json.loads(told)) if told else None


def film_of(told: dict[str, Any]) -> Film | None:
    """ffprobe's JSON as a Film; None when it found no stream."""
    streams = told.get("streams") or []
    picture = next((item for item in streams if item.get("codec_type") == "video"), None)
    sound = next((item for item in streams if item.get("codec_type") == "audio"), None)
    if picture is None and sound is None:
        return None
    details: dict[str, Any] = {}
    width = height = None
    if picture:
        width, height = picture.get("width"), picture.get("height")
        turns = [item.get("rotation", 0) for item in picture.get("side_data_list", ())]
        if any(int(float(turn)) % 180 for turn in turns):
            width, height = height, width
        details = {"video_codec": picture.get("codec_name"), "fps": _rate(picture.get("avg_frame_rate", ""))}
    if sound:
        details["audio_codec"] = sound.get("codec_name")
    seconds = _number((told.get("format") or {}).get("duration"))
    return Film(
        width=width or None, height=height or None, seconds=seconds,
        details={name: value for name, value in details.items() if value},
    )  # fmt: skip


def _number(value: Any) -> float | None:
    try:
        return round(float(value), 3)
    except (TypeError, ValueError):
        return None


def _rate(words: str) -> float | None:
    """`30000/1001` as 29.97."""
    above, _, below = words.partition("/")
    top, bottom = _number(above), _number(below or 1)
    return round(top / bottom, 2) if top and bottom else None


def _by_av(path: str) -> Film | None:
    av = _av()
    if av is None:
        return None
    try:
        with av.open(path, format="mov") as container:
            picture = next(iter(container.streams.video), None)
            sound = next(iter(container.streams.audio), None)
            details: dict[str, Any] = {}
            width = height = None
            if picture is not None:
                width, height = picture.width, picture.height
                if _turn(container, picture) % 180:
                    width, height = height, width
                details = {
                    "video_codec": picture.codec_context.name,
                    "fps": round(float(picture.average_rate), 2) if picture.average_rate else None,
                }
            if sound is not None:
                details["audio_codec"] = sound.codec_context.name
            if picture is None and sound is None:
                return None
            seconds = round(container.duration / av.time_base, 3) if container.duration else None
    except Exception as error:
        # the edge to a decoder: whatever it throws at a broken file, the file is stored with its length unknown
        logger.info("PyAV cannot read a video: %s", error, extra={"action": "probe_failed"})
        return None
    return Film(
        width=width, height=height, seconds=seconds,
        details={name: value for name, value in details.items() if value},
    )  # fmt: skip


def _turn(container: Any, picture: Any) -> int:
    frame = next(container.decode(picture), None)
    return int(getattr(frame, "rotation", 0) or 0)


def _still_by_av(path: str) -> Image.Image | None:
    av = _av()
    if av is None:
        return None
    try:
        with av.open(path, format="mov") as container:
            frame = next(container.decode(video=0), None)
            if frame is None:
                return None
            image: Image.Image = frame.to_image()
            turn = int(getattr(frame, "rotation", 0) or 0)
            return image.rotate(turn, expand=True) if turn else image
    except Exception as error:
        logger.info("PyAV cannot make a still: %s", error, extra={"action": "still_failed"})
        return None


def _av() -> Any:
    """PyAV, which the extra `video` brings; None without it."""
    try:
        import av
    except ImportError:
        return None
    return av
