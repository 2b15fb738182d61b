"""The words of the scripts, as one small script a language. Its address holds its digest, so a browser may keep it for ever."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import override as speaking
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog

DOMAIN = "djangojs"


def _folder() -> Path:
    return Path(settings.LOCALE_PATHS[0])


@lru_cache(maxsize=32)
def script(language: str) -> tuple[bytes, str]:
    """The script and its digest; made once a process."""
    view = _Catalogue()
    with speaking(language):
        view.translation = DjangoTranslation(language, domain=DOMAIN, localedirs=[str(_folder())])
        data = view.render_to_response(view.get_context_data()).content
    return data, hashlib.sha256(data).hexdigest()[:12]


class _Catalogue(JavaScriptCatalog):
    translation: Any


def address() -> str:
    language = get_language() or settings.LANGUAGE_CODE
    return reverse("web:jsi18n", args=[language, script(language)[1]])


def serve(request: HttpRequest, language: str, digest: str) -> HttpResponse:
    """For everybody, signed in or not: the words are no secret."""
    if language not in dict(settings.LANGUAGES) or script(language)[1] != digest:
        raise Http404
    return HttpResponse(
        script(language)[0],
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
