"""Two networks for the composer's tests, both on the sandbox's own feed: one of few words, one of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from platforms.adapters.sandbox.adapter import SandboxAdapter
from platforms.base import FieldSpec
from platforms.contracts import AccountRef, Capabilities, TextRule
from platforms.problems import ContentLike, ContentProblem, error


class Short(SandboxAdapter):
    key = "short"
    label = "Short"
    post_fields = (
        FieldSpec(name="topic", label="Topic", required=True, help="What it is about."),
        FieldSpec(name="quiet", label="Tell nobody", kind="bool", default=False),
        FieldSpec(name="weight", label="Weight", kind="number"),
    )

    def capabilities(self, account: AccountRef) -> Capabilities:
        return replace(
            super().capabilities(account),
            text=TextRule(max=60, unit="code_points"),
            max_text=60,
            threads=True,
            link_in_text=True,
            hashtags_in_text=True,
        )

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:  # type: ignore[override]
        if content.options.get("topic"):
            return []
        return [error("topic", "topic", "Short wants a topic.", "Name one.")]


class Pictures(SandboxAdapter):
    key = "pictures"
    label = "Pictures"
    post_fields = ()

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:  # type: ignore[override]
        if content.media:
            return []
        return [error("no_picture", "media", "A post here needs a picture.", "Add one.")]
