"""Who gets a newsletter: one address a line, perhaps with a name. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parseaddr

MOST = 5_000
_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Recipient:
    address: str
    name: str = ""


def address_of(text: str) -> str:
    """The address as mail servers take it: domain in lower case and ASCII (IDNA). Empty when it is none."""
    local, at, domain = text.strip().rpartition("@")
    try:
        host = domain.encode("idna").decode().lower() if not domain.isascii() else domain.lower()
    except UnicodeError:
        return ""
    if not at or not _LOCAL.fullmatch(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        return ""
    return f"{local}@{host}" if _DOMAIN.fullmatch(host) else ""


def parsed(text: str) -> tuple[list[Recipient], list[str]]:
    """(recipients, each address once; the lines that are none). `ana@x.org`, `Ana <ana@x.org>` and `ana@x.org, Ana` are read; empty
    lines and lines that begin with # are not."""
    found: dict[str, Recipient] = {}
    bad: list[str] = []
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, given = _split(line)
        address = address_of(given)
        if not address:
            bad.append(line[:80])
            continue
        found.setdefault(address.lower(), Recipient(address, " ".join(name.split())[:200]))
    return list(found.values()), bad


def problem_of(text: str) -> str:
    """What is wrong with a list, in words; empty when it will do."""
    good, bad = parsed(text)
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        return f"Not an address: {_listed(bad[:3])}{more}. Write one address a line, like ana@example.org or Ana <ana@example.org>."
    if not good:
        return "Write at least one address."
    if len(good) > MOST:
        return f"These are {len(good):,} addresses; one account sends to at most {MOST:,}."
    return ""


def _split(line: str) -> tuple[str, str]:
    if "<" in line:
        name, address = parseaddr(line)
        return (name, address) if address else ("", line)
    first, _, rest = line.partition(",")
    return rest.strip(), first


def _listed(lines: Sequence[str]) -> str:
    return ", ".join(f"“{line}”" for line in lines)
