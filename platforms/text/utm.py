"""UTM parameters (source, medium, campaign, term, content) on web addresses, as Google Analytics and others read them.

Source: https://support.google.com/analytics/answer/10917952, 2026-11. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote_plus, unquote_plus, urlsplit

from platforms.text.links import urls

NAMES = ("source", "medium", "campaign", "term", "content", "id")
_PLACE = re.compile(r"\{(platform|account|campaign)\}")


def merged(*layers: Mapping[str, str]) -> dict[str, str]:
    """The parameters of several layers, a later one wins where it says something; names with or without `utm_`."""
    found: dict[str, str] = {}
    for layer in layers:
        for name, value in layer.items():
            short = name.removeprefix("utm_")
            if short in NAMES and str(value).strip():
                found[short] = str(value).strip()
    return found


def filled(parameters: Mapping[str, str], places: Mapping[str, str]) -> dict[str, str]:
    """The parameters with {platform}, {account} and {campaign} put in; one that comes out empty is left out."""
    values = {name: _PLACE.sub(lambda found: places.get(found[1], ""), value) for name, value in parameters.items()}
    return {name: value.strip() for name, value in values.items() if value.strip()}


def tagged(url: str, parameters: Mapping[str, str]) -> str:
    """The address with the parameters, in the order of NAMES. A parameter that the address has already, its other parameters and
    its fragment stay as they are, to the letter; what is not http or https comes back as it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        return url
    present = {unquote_plus(item.partition("=")[0]) for item in parts.query.split("&")}
    added = [
        f"utm_{name}={quote_plus(parameters[name])}"
        for name in NAMES
        if parameters.get(name) and f"utm_{name}" not in present
    ]
    if not added:
        return url
    head, mark, fragment = url.partition("#")
    joint = "" if head.endswith(("?", "&")) else "&" if "?" in head else "?"
    return f"{head}{joint}{'&'.join(added)}{mark}{fragment}"


def tagged_text(text: str, parameters: Mapping[str, str]) -> str:
    """The text with the parameters on each http and https address in it."""
    if "://" not in text:
        return text
    pieces, at = [], 0
    for url in urls(text):
        start = text.find(url, at)
        if start < 0:
            continue
        pieces += [text[at:start], tagged(url, parameters)]
        at = start + len(url)
    return "".join([*pieces, text[at:]])
