"""The sandbox adapter: publishes to the practice network in this product's own database. README.md says more."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from alwrity_scheduler.core import clock
from platforms.adapters.sandbox import network
from platforms.adapters.sandbox.faults import MODES, Fault, problems
from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import (
    ALL_CONTENT_TYPES,
    ALL_MEDIA_MIMES,
    Accepted,
    AccountHealth,
    AccountRef,
    Capabilities,
    Metrics,
    Publication,
    Published,
)
from platforms.errors import AuthFailed, RateLimited, Rejected, UnknownOutcome
from platforms.problems import ContentLike, ContentProblem, error

MOST_COMMENT = 1_000


class SandboxAdapter:
    key: str = "sandbox"
    label: str = "Sandbox"
    description: str = "A practice network inside this product. Nothing leaves it, and no credentials are needed."
    credential_fields: tuple[FieldSpec, ...] = ()
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="fault_mode",
            label="Fault",
            help="What goes wrong, to practise.",
            kind="choice",
            choices=MODES,
            default="none",
        ),
        FieldSpec(
            name="fault_rate",
            label="How often",
            help="0 to 1: for which part of the posts.",
            kind="number",
            default=1,
        ),
        FieldSpec(
            name="fault_seconds",
            label="Seconds",
            help="How slow, or how long to stay away.",
            kind="number",
            default=5,
        ),
    )

    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="first_comment",
            label="First comment",
            help="Posted under the post by the account itself, at once.",
            kind="long_text",
        ),
        FieldSpec(
            name="visibility",
            label="Who sees it",
            kind="choice",
            choices=(("public", "Everybody"), ("followers", "Followers"), ("private", "Nobody else")),
            default="public",
        ),
    )

    def capabilities(self, account: AccountRef) -> Capabilities:
        return Capabilities(
            content_types=ALL_CONTENT_TYPES,
            media_mimes=ALL_MEDIA_MIMES,
            max_text=5_000,
            max_title=300,
            max_media=10,
            max_media_bytes=100 * 1024 * 1024,
            max_hashtags=30,
            can_find=True,
            replays=True,
            consistency_delay_seconds=0.5,
        )

    def check(self, content: ContentLike, account: AccountRef) -> list[ContentProblem]:
        comment = str(content.options.get("first_comment") or "")
        if len(comment) <= MOST_COMMENT:
            return []
        over = len(comment) - MOST_COMMENT
        words = f"The first comment has {len(comment):,} characters; the sandbox takes {MOST_COMMENT:,}."
        return [error("comment_too_long", "options.first_comment", words, f"Shorten it by {over:,}.")]

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        return problems(options)

    def service_of(self, account: AccountRef) -> str:
        """A fault is switched on for one account and concerns no other."""
        return account.public_id

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        fault, struck = _struck(publication.account)
        if struck == "slow":
            time.sleep(min(fault.seconds, timeout))
        published = _store(publication)
        if struck == "dropped_after_accepting":
            raise UnknownOutcome("The sandbox closed the connection without an answer.")
        if struck == "slow" and fault.seconds >= timeout:
            raise UnknownOutcome(f"The sandbox did not answer within {timeout:g} s.")
        return published

    def find(self, publication: Publication, *, timeout: float) -> Published | None:
        post = network.look_up(publication.account.id, publication.key)
        return None if post is None else _published(publication, post.remote_id, already=True)

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        raise UnknownOutcome("The sandbox never leaves a post half done, so there is nothing to ask about.")

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        _, struck = _struck(account)
        network.remove(account.id, remote_id, clock.now())
        if struck == "dropped_after_accepting":
            raise UnknownOutcome("The sandbox closed the connection without an answer.")

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        _, struck = _struck(publication.account)
        if not network.change(publication, remote_id):
            raise Rejected("The sandbox does not have this post any more.", status_code=404)
        if struck == "dropped_after_accepting":
            raise UnknownOutcome("The sandbox closed the connection without an answer.")
        return _published(publication, remote_id, already=False)

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        """Likes and comments, as `likes` and `replies`."""
        _struck(account)
        found = network.figures(account.id, remote_ids)
        return [Metrics(remote_id=remote_id, values=values) for remote_id, values in found.items()]

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        if Fault.of(account.options).mode == "auth":
            return AccountHealth(
                ok=False, message="The fault “signed out” is switched on.", identity=f"@{account.handle}"
            )
        return AccountHealth(ok=True, message=f"The sandbox knows @{account.handle}.", identity=f"@{account.handle}")


ADAPTER = SandboxAdapter()


def _struck(account: AccountRef) -> tuple[Fault, str]:
    """The fault that is switched on, and what it does to this call; those that refuse it are raised."""
    fault = Fault.of(account.options)
    struck = fault.strikes()
    if struck == "rejected":
        raise Rejected("The sandbox refused the post.", status_code=422, platform_message="Practice fault: rejected.")
    if struck == "auth":
        raise AuthFailed(
            "The sandbox does not accept the credentials.",
            status_code=401,
            platform_message="Practice fault: signed out.",
        )
    if struck == "rate_limited":
        raise RateLimited(
            "The sandbox asks for fewer posts.",
            status_code=429,
            retry_after_seconds=fault.seconds,
            platform_message="Practice fault: rate limited.",
        )
    return fault, struck


def _store(publication: Publication) -> Published:
    post, is_new = network.store(publication, clock.now())
    return _published(publication, post.remote_id, already=not is_new)


def _published(publication: Publication, remote_id: str, *, already: bool) -> Published:
    url = network.address(publication.account.handle, remote_id)
    return Published(remote_id=remote_id, url=url, response={"id": remote_id, "url": url}, already=already)
