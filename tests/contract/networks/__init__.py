"""One module an adapter: `network(request)` gives the contract suite an adapter, an account, and the platform to publish to.

`request` is pytest's; real servers and doubles are fixtures of `tests/contract/conftest.py` or of the module's own making
(`request.addfinalizer`). A module may say `SKIP = "why"` when what it needs is not there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from platforms.base import Adapter
from platforms.contracts import Accepted, AccountRef, MediaRef, Publication, Published
from tests.conftest import NOW


@dataclass
class Network:
    """One adapter, an account on it, and how to make its platform misbehave and to count its posts.

    posts(publication): how many posts the platform has that came of it (its text holds the key, so a platform that knows no
    keys is searched for the text). misbehave(kind): the next publishing call is refused with that class
    (`rejected`, `auth`, `rate_limited`), or carried out and not answered (`unknown`). `words`, `media` and `content_type`: what a
    post there needs at least. `retry_after`: the seconds a rate limit names, None where the platform names none. unreachable: the
    account with an address at which nobody listens, None where there is no such thing.
    """

    adapter: Adapter
    account: AccountRef
    posts: Callable[[Publication], int]
    misbehave: Callable[[str], None]
    words: dict[str, str] = field(default_factory=dict)
    media: Sequence[MediaRef] = ()
    content_type: str = "post"
    retry_after: float | None = 7
    unreachable: AccountRef | None = None
    kinds: Sequence[str] = ("rejected", "auth", "rate_limited")

    def publication(self, key: str, **values: Any) -> Publication:
        made: dict[str, Any] = {
            "text": f"Guten Morgen – 早上好 {key}",
            "media": tuple(self.media),
            "content_type": self.content_type,
            "scheduled_for": NOW,
        }
        return Publication(key=key, account=self.account, **{**made, **self.words, **values})

    def publish(self, publication: Publication, *, timeout: float = 10) -> Published:
        """Publish, and follow what is accepted until it is done, as the engine does."""
        return self.follow(self.adapter.publish(publication, timeout=timeout), publication.account)

    def follow(self, result: Published | Accepted | None, account: AccountRef | None = None) -> Published:
        for _ in range(60):
            if isinstance(result, Published):
                return result
            assert isinstance(result, Accepted)
            time.sleep(min(result.poll_after_seconds, 0.05))
            result = self.adapter.poll(account or self.account, result.remote_state, timeout=10)
        raise AssertionError("never finished")

    def with_options(self, **options: Any) -> AccountRef:
        return replace(self.account, options={**self.account.options, **options})
