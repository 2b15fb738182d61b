"""The catalogues: whole, compiled as they are written, with the placeholders and plural forms that their messages need."""

from __future__ import annotations

import gettext
import importlib.util
import io
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tool():
    spec = importlib.util.spec_from_file_location("messages", ROOT / ".ci" / "messages.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["messages"] = module
    spec.loader.exec_module(module)
    return module


messages = tool()
# by which of these the form is chosen, it says itself where it is for none, one or two
COUNTED = {"%(n)s", "%(n)d", "%(count)s", "%(shown)s"}
CATALOGUES = {f"{path.parts[-3]}/{path.stem}": path for path in messages.catalogues()}
ENTRIES = {name: messages.read(path) for name, path in CATALOGUES.items()}


@pytest.mark.parametrize("name", CATALOGUES)
def test_what_is_compiled_is_what_is_written(name):
    path = CATALOGUES[name].with_suffix(".mo")

    assert path.read_bytes() == messages.compiled(ENTRIES[name]), "run: python .ci/messages.py --compile"


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_message_is_translated_and_none_is_a_guess(name):
    missing = [entry.msgid for entry in ENTRIES[name][1:] if not entry.is_translated]

    assert (len(missing), missing[:5]) == (0, [])


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_translation_has_the_placeholders_of_its_message(name):
    """A form for one thing may leave its number out; nothing else may be left out, and nothing may be new."""
    wrong = []
    for entry in ENTRIES[name][1:]:
        least, most = set.intersection(*entry.names), set.union(*entry.names)
        for text in filter(None, entry.strings.values()):
            found = messages.placeholders(text)
            if not found <= most or not (found >= least or (entry.plural is not None and found >= least - COUNTED)):
                wrong.append((entry.msgid, text))
    assert wrong == []


@pytest.mark.parametrize("name", CATALOGUES)
def test_there_are_as_many_plural_forms_as_the_header_says(name):
    forms = messages.plural_forms(ENTRIES[name])
    wrong = [entry.msgid for entry in ENTRIES[name][1:] if len(entry.strings) != (forms if entry.plural else 1)]

    assert forms >= 1
    assert wrong == []


def test_the_reader_and_the_compiler_agree_with_pythons_gettext(tmp_path):
    source = tmp_path / "x.po"
    source.write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        '#, python-format\nmsgid "%(n)s post"\nmsgid_plural "%(n)s posts"\nmsgstr[0] "%(n)s Beitrag"\n'
        'msgstr[1] ""\n"%(n)s "\n"Beiträge"\n\n'
        'msgctxt "of a week"\nmsgid "Start"\nmsgstr "Be\\"ginn\\n"\n\n'
        '#, fuzzy\nmsgid "Guess"\nmsgstr "Geraten"\n\n#~ msgid "Old"\n#~ msgstr "Alt"\n'
    )
    read = gettext.GNUTranslations(io.BytesIO(messages.compiled(messages.read(source))))

    assert read.ngettext("%(n)s post", "%(n)s posts", 5) == "%(n)s Beiträge"
    assert read.pgettext("of a week", "Start") == 'Be"ginn\n'
    assert (read.gettext("Guess"), read.gettext("Old"), read.gettext("Start")) == ("Guess", "Old", "Start")
