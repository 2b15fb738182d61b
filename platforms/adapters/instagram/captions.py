"""The caption as it is published, and what Instagram counts in it. Pure."""

from __future__ import annotations

import re

from platforms.contracts import Capabilities, MediaRule, TextRule, TypeRule
from platforms.problems import ContentLike
from platforms.text.message import message

MOST_HASHTAGS = 30
MOST_MENTIONS = 20
IMAGES = frozenset({"image/jpeg"})
VIDEOS = frozenset({"video/mp4", "video/quicktime"})
CAPABILITIES = Capabilities(
    content_types=frozenset({"post", "image", "video", "carousel", "story", "reel"}),
    media_mimes=IMAGES | VIDEOS,
    max_media=10,
    can_find=True,
    replays=False,
    consistency_delay_seconds=10.0,
    max_text=2_200,
    max_hashtags=MOST_HASHTAGS,
    text=TextRule(max=2_200, unit="characters"),
    media={
        "image": MediaRule(
            mimes=IMAGES, max_count=10, max_bytes=8_000_000, min_width=320, min_ratio=0.5625, max_ratio=1.92, max_alt=1_000
        ),
        "video": MediaRule(mimes=VIDEOS, max_count=10, max_bytes=300_000_000, min_seconds=3, max_seconds=900),
    },
    types={
        "post": TypeRule(min_media=1, max_media=10),
        "image": TypeRule(min_media=1, max_media=1, kinds=frozenset({"image"})),
        "video": TypeRule(min_media=1, max_media=1, kinds=frozenset({"video"})),
        "carousel": TypeRule(min_media=2, max_media=10, kinds=frozenset({"image", "video"})),
        "story": TypeRule(min_media=1, max_media=1, kinds=frozenset({"image", "video"})),
        "reel": TypeRule(min_media=1, max_media=1, kinds=frozenset({"video"})),
    },
    link_in_text=True,
    hashtags_in_text=True,
)  # fmt: skip
_HASHTAG = re.compile(r"(?<![\w#])#\w+")
_MENTION = re.compile(r"(?<![\w@.])@[A-Za-z0-9_.]+")


def caption(content: ContentLike) -> str:
    return message(content, CAPABILITIES)


def hashtags(text: str) -> int:
    return len(_HASHTAG.findall(text))


def mentions(text: str) -> int:
    return len(_MENTION.findall(text))
