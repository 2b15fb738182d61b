"""The five ways a call to a platform can fail. The class decides whether a post may be sent again; nothing else does.

Pure: no Django. Adapters raise these; `services.publishing.send` lets them through and turns anything else into
UnknownOutcome, because a request may have gone out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from platforms.contracts import RateInfo

MAX_PLATFORM_MESSAGE = 2_000


def clean(text: object) -> str:
    """A platform's words made safe to store and show: no control characters, at most 2,000 characters."""
    words = "".join(
        letter if letter.isprintable() or letter in "\n\t" else " " for letter in str(text)[: 2 * MAX_PLATFORM_MESSAGE]
    )
    words = words.strip()
    return words if len(words) <= MAX_PLATFORM_MESSAGE else words[: MAX_PLATFORM_MESSAGE - 1] + "…"


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret blotted out: platforms quote tokens in their complaints."""
    for secret in secrets:
        text = text.replace(secret, "•••")
    return text


class PlatformError(Exception):
    """A call failed. `str(error)` is the sentence for people; the platform's own words are beside it."""

    error_class: ClassVar[str] = "unknown"
    retry_after_seconds: float | None = None

    def __init__(
        self,
        message_for_people: str,
        *,
        status_code: int | None = None,
        platform_message: str = "",
        response: Mapping[str, Any] | None = None,
        rate: RateInfo | None = None,
    ) -> None:
        super().__init__(message_for_people)
        self.message_for_people = message_for_people
        self.status_code = status_code
        self.platform_message = clean(platform_message)
        self.response = dict(response or {})
        self.rate = rate

    def hide(self, secrets: Iterable[str]) -> None:
        """Blot these secrets out of every word this error carries."""
        secrets = list(secrets)
        self.message_for_people = hidden(self.message_for_people, secrets)
        self.args = (self.message_for_people,)
        self.platform_message = hidden(self.platform_message, secrets)
        self.response = {
            name: hidden(value, secrets) if isinstance(value, str) else value for name, value in self.response.items()
        }


class Rejected(PlatformError):
    """Certainly not posted, and sending the same again would be refused again: never retry."""

    error_class = "rejected"


class AuthFailed(PlatformError):
    """Certainly not posted: the platform does not accept the credentials, so the account needs a person."""

    error_class = "auth"


class _Retryable(PlatformError):
    def __init__(
        self,
        message_for_people: str,
        *,
        retry_after_seconds: float | None = None,
        status_code: int | None = None,
        platform_message: str = "",
        response: Mapping[str, Any] | None = None,
        rate: RateInfo | None = None,
    ) -> None:
        super().__init__(
            message_for_people,
            status_code=status_code,
            platform_message=platform_message,
            response=response,
            rate=rate,
        )
        self.retry_after_seconds = retry_after_seconds


class RateLimited(_Retryable):
    """Certainly not posted: too many calls. Look again after `retry_after_seconds`; this costs no attempt (R30)."""

    error_class = "rate_limited"


class Unavailable(_Retryable):
    """Certainly not posted: nothing was sent (name not found, connection refused). Retry."""

    error_class = "unavailable"


class UnknownOutcome(PlatformError):
    """The request may have been accepted (time-out or reset after sending, 5xx). Look it up; never resubmit blindly (R23)."""

    error_class = "unknown"


class AdapterMissing(Rejected):
    """No adapter of this name is installed: the account is unloadable, and is kept (R39)."""

    def __init__(self, platform: str) -> None:
        super().__init__(
            f"The adapter {platform!r} is not installed here. Install it again, or move the post to another account."
        )
        self.platform = platform


ERROR_CLASSES = tuple(kind.error_class for kind in (Rejected, AuthFailed, RateLimited, Unavailable, UnknownOutcome))
