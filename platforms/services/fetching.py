"""A file from the web into the library: fetched through the one way out, which refuses private addresses, step by step."""

from __future__ import annotations

from datetime import datetime
from typing import IO
from urllib.parse import unquote, urljoin, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from alwrity_scheduler.core import clock, http
from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.models import MediaAsset, MediaFolder
from platforms.services import files, media

SECONDS = 30.0  # for all steps together
MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)


def store_from_url(
    *,
    workspace: Workspace,
    url: str,
    name: str = "",
    alt_text: str = "",
    folder: MediaFolder | None = None,
    created_by: User | None = None,
    actor: Actor,
    now: datetime,
) -> MediaAsset:
    """Fetch a file and keep it, as `media.store_upload` does. Raises Refused (field `url`) when it cannot be fetched or kept."""
    with files.temporary("fetched") as target:
        last = fetch(url.strip(), target)
        try:
            return media.store_upload(
                workspace=workspace, file=target, name=name or _name_in(last), alt_text=alt_text, folder=folder,
                created_by=created_by, actor=actor, now=now,
            )  # fmt: skip
        except Refused as error:
            raise Refused(
                [Problem(field="url", message=item.message, code=item.code) for item in error.problems]
            ) from error


def fetch(url: str, target: IO[bytes]) -> str:
    """Write what the address gives to `target`, of at most MEDIA_MAX_BYTES. Returns the address it came from in the end.

    Follows at most three redirects; each address is judged anew, when it is connected to. Raises Refused.
    """
    ends_at = clock.monotonic() + SECONDS
    for _hop in range(MOST_REDIRECTS + 1):
        answer = _step(url, target, ends_at - clock.monotonic())
        if answer.status not in _REDIRECTS:
            if not 200 <= answer.status < 300:
                raise _refused(_("The server answered %(status)s.") % {"status": answer.status}, "status")
            return url
        where = answer.headers.get("location", "")
        if not where:
            raise _refused(_("The server points elsewhere and does not say where."), "redirect")
        url = urljoin(url, where)
    raise _refused(_("The address leads on more than %(most)s times.") % {"most": MOST_REDIRECTS}, "redirect")


def _step(url: str, target: IO[bytes], seconds: float) -> http.Response:
    if seconds <= 0:
        raise _refused(_("The server took too long."), "timeout")
    try:
        return http.request(
            "GET", url, headers={"Accept": "image/*, video/*, audio/mp4, application/pdf"}, timeout=seconds,
            max_bytes=settings.MEDIA_MAX_BYTES, into=target,
        )  # fmt: skip
    except http.AddressRefused:
        raise _refused(_("This address is on a private network, from which nothing is fetched."), "address") from None
    except http.AnswerTooLarge:
        raise _refused(media.too_large_words(), "too_large") from None
    except http.OutboundError as error:
        raise _refused(" ".join([_("It cannot be fetched."), str(error)]), "unreachable") from error


def _refused(words: str, code: str) -> Refused:
    return Refused(Problem(field="url", message=words, code=code))


def _name_in(url: str) -> str:
    return unquote(urlsplit(url).path).rpartition("/")[2] or urlsplit(url).hostname or "file"
