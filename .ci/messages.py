"""The catalogues: `python .ci/messages.py` finds every translatable string, brings the .po files up to date and compiles them.

Finding wants GNU gettext (xgettext, msgmerge) on the developer's machine; compiling, and using what was compiled, does not:
the .mo files are kept beside the .po files. `python .ci/messages.py --compile` only compiles, after translating.
Dates and source lines are left out of the .po files, so that two people's changes meet only where both touched a string.
"""

from __future__ import annotations

import ast
import os
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "alwrity_scheduler" / "locale"
LANGUAGES = ("de", "fr", "es", "pt_BR", "hi", "ja", "ar")
DOMAINS = ("django", "djangojs")
IGNORED = ("tests/*", "var/*", ".venv/*", ".ci/*", "docs/*", "node_modules/*")


@dataclass
class Entry:
    """One message. `strings` has one text, or one a plural form; `context` and `plural` are None where there is none."""

    msgid: str = ""
    plural: str | None = None
    context: str | None = None
    strings: dict[int, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    @property
    def is_translated(self) -> bool:
        return bool(self.strings) and all(self.strings.values()) and "fuzzy" not in self.flags

    @property
    def key(self) -> str:
        """As the .mo file holds it."""
        return (f"{self.context}\x04" if self.context is not None else "") + self.msgid

    @property
    def names(self) -> list[set[str]]:
        """The placeholders of the message and of its plural."""
        return [placeholders(text) for text in (self.msgid, self.plural) if text is not None]


def placeholders(text: str) -> set[str]:
    """The named ones, `%(name)s`, with their conversion."""
    return set(re.findall(r"%\(\w+\)[a-z]", text.replace("%%", "")))


def read(path: Path) -> list[Entry]:
    """The entries of a .po file, its header first; obsolete ones (`#~`) are left out."""
    entries: list[Entry] = []
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        entry = _entry(block.splitlines())
        if entry is not None:
            entries.append(entry)
    return entries


_LINE = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d+)\])?)?\s*(".*")\s*$')


def _entry(lines: list[str]) -> Entry | None:
    entry, where, found = Entry(), ("", 0), False
    for line in lines:
        if line.startswith("#,"):
            entry.flags |= {flag.strip() for flag in line[2:].split(",")}
        match = None if line.startswith("#") else _LINE.match(line)
        if match is None:
            continue
        found = True
        if match[1]:
            where = (match[1].partition("[")[0], int(match[2] or 0))
        _add(entry, where, ast.literal_eval(match[3]))
    return entry if found else None


def _add(entry: Entry, where: tuple[str, int], text: str) -> None:
    name, number = where
    if name == "msgctxt":
        entry.context = (entry.context or "") + text
    elif name == "msgid":
        entry.msgid += text
    elif name == "msgid_plural":
        entry.plural = (entry.plural or "") + text
    else:
        entry.strings[number] = entry.strings.get(number, "") + text


def compiled(entries: list[Entry]) -> bytes:
    """The .mo file of these entries: the header and what is translated, sorted by key, without a hash table."""
    pairs = sorted(
        (_key(entry).encode(), "\0".join(entry.strings[number] for number in sorted(entry.strings)).encode())
        for entry in entries
        if entry.is_translated
    )
    keys = b"".join(key + b"\0" for key, _text in pairs)
    texts = b"".join(text + b"\0" for _key_, text in pairs)
    start = 7 * 4
    at_keys = start + 16 * len(pairs)
    table = [*_offsets([key for key, _text in pairs], at_keys)]
    table += _offsets([text for _key_, text in pairs], at_keys + len(keys))
    header = struct.pack("<7I", 0x950412DE, 0, len(pairs), start, start + 8 * len(pairs), 0, at_keys)
    return header + struct.pack(f"<{len(table)}I", *table) + keys + texts


def _key(entry: Entry) -> str:
    return entry.key if entry.plural is None else f"{entry.key}\0{entry.plural}"


def _offsets(texts: list[bytes], start: int) -> Iterator[int]:
    for text in texts:
        yield from (len(text), start)
        start += len(text) + 1


def plural_forms(entries: list[Entry]) -> int:
    """How many forms the header promises."""
    match = re.search(r"nplurals\s*=\s*(\d+)", entries[0].strings[0])
    return int(match[1]) if match else 0


def catalogues() -> list[Path]:
    return [LOCALE / language / "LC_MESSAGES" / f"{domain}.po" for language in LANGUAGES for domain in DOMAINS]


def adapters_words() -> list[str]:
    """What the adapters say in forms. They know no Django, so their words are marked here and translated where they are shown."""
    from platforms import registry

    found: list[str] = []
    for adapter in registry.adapters.values():
        found.append(adapter.description)
        for name in ("credential_fields", "option_fields", "post_fields"):
            for spec in getattr(adapter, name, ()):
                found += [spec.label, spec.help, *(words for _value, words in spec.choices)]
    return [words for words in dict.fromkeys(found) if words]


def find() -> None:
    """Django's makemessages, without guesses: what is new is empty, what is gone is dropped."""
    import django
    from django.core.management import call_command
    from django.core.management.commands import makemessages

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alwrity_scheduler.settings")
    os.chdir(ROOT)
    django.setup()
    command = makemessages.Command()
    command.msgmerge_options = [*command.msgmerge_options, "--no-fuzzy-matching"]
    for path in catalogues():
        path.parent.mkdir(parents=True, exist_ok=True)
    told = ROOT / "platforms" / "_words_of_the_adapters.py"
    told.write_text("".join(f"gettext_noop({words!r})\n" for words in adapters_words()), encoding="utf-8")
    try:
        for domain in DOMAINS:
            call_command(
                command, locale=list(LANGUAGES), domain=domain, ignore_patterns=list(IGNORED), no_location=True,
                no_obsolete=True, no_wrap=True, extensions=["html", "txt", "py"] if domain == "django" else ["js"],
            )  # fmt: skip
    finally:
        told.unlink()
    for path in catalogues():
        text = path.read_text(encoding="utf-8")
        text = re.sub(r'^"(POT-Creation-Date|PO-Revision-Date):.*"\n', "", text, flags=re.M)
        text = re.sub(r"\A(?:#.*\n)+", "", text)
        path.write_text(_with_all_forms(text, plural_forms(read(path))), encoding="utf-8")


def _with_all_forms(text: str, forms: int) -> str:
    """What is new has the two forms of English; give it as many empty ones as the language has."""
    empty = "".join(f'msgstr[{number}] ""\n' for number in range(forms))
    return re.sub(r'(?:^msgstr\[\d+\] ""\n)+(?!")', empty, text, flags=re.M)


def compile_all() -> None:
    for path in catalogues():
        path.with_suffix(".mo").write_bytes(compiled(read(path)))


def main() -> None:
    if "--compile" not in sys.argv:
        sys.path.insert(0, str(ROOT))
        find()
    compile_all()


if __name__ == "__main__":
    main()
