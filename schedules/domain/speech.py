"""In whose language the rules speak. This package imports no Django: the wiring says through what to translate, and until it
does the words stay English. Tables keep English words, marked by `gettext_noop`; they are translated when they are read, so that
what is stored does not depend on who was there.
"""

from __future__ import annotations

from collections.abc import Callable

_translate: list[Callable[[str], str]] = []
_translate_number: list[Callable[[str, str, int], str]] = []
_translate_within: list[Callable[[str, str], str]] = []


def speak_through(
    gettext: Callable[[str], str], ngettext: Callable[[str, str, int], str], pgettext: Callable[[str, str], str]
) -> None:
    """Called once, when Django is ready."""
    _translate[:], _translate_number[:], _translate_within[:] = [gettext], [ngettext], [pgettext]


def gettext(words: str) -> str:
    return _translate[0](words) if _translate and words else words


def ngettext(one: str, many: str, number: int) -> str:
    return _translate_number[0](one, many, number) if _translate_number else one if number == 1 else many


def pgettext(context: str, words: str) -> str:
    return _translate_within[0](context, words) if _translate_within else words


def gettext_noop(words: str) -> str:
    """Marks words of a table for the catalogues; says them as they are. The name is the one that xgettext looks for."""
    return words
