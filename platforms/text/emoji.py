"""Emoji that are written as several characters and count as one at X. Pure.

X's rules (twitter-text 3, configuration v3) know the emoji of Unicode 11 (emoji-data.txt, emoji-sequences.txt and
emoji-zwj-sequences.txt, version 11.0): a sequence that came later is counted by its parts. One-character emoji need no entry,
because whatever is outside the light ranges weighs as much as an emoji.
"""

from __future__ import annotations

from platforms.text.lazily import pattern


def _set(codes: str) -> str:
    """ "2194-2199 21a9" as the inside of a character class."""
    ends = (item.split("-") for item in codes.split())
    return "".join("-".join(f"\\U{int(code, 16):08x}" for code in item) for item in ends)


_MAN, _WOMAN, _BOY, _GIRL = "\U0001f468", "\U0001f469", "\U0001f466", "\U0001f467"
_JOIN, _LOOK, _PLAIN = "\u200d", "\ufe0f", "\ufe0e"  # zero width joiner, emoji style, text style
_TONE = "[\U0001f3fb-\U0001f3ff]"

# shown as text unless U+FE0F follows, or given so by old fonts: the pair is one emoji
_STYLED = _set(
    "203c 2049 2139 2194-2199 21a9-21aa 231a-231b 2328 23cf 23ed-23ef 23f1-23f2 23f8-23fa 24c2 25aa-25ab 25b6 25c0 25fb-25fe "
    "2600-2604 260e 2611 2614-2615 2618 2620 2622-2623 2626 262a 262e-262f 2638-263a 2640 2642 2648-2653 2660 2663 2665-2666 "
    "2668 267b 267f 2692-2697 2699 269b-269c 26a0-26a1 26aa-26ab 26b0-26b1 26bd-26be 26c4-26c5 26c8 26cf 26d1 26d3-26d4 "
    "26e9-26ea 26f0-26f5 26f8 26fa 26fd 2702 2708-2709 270f 2712 2714 2716 271d 2721 2733-2734 2744 2747 2757 2763-2764 27a1 "
    "2934-2935 2b05-2b07 2b1b-2b1c 2b50 2b55 3030 303d 3297 3299 1f004 1f170-1f171 1f17e-1f17f 1f202 1f21a 1f22f 1f237 1f321 "
    "1f324-1f32c 1f336 1f37d 1f396-1f397 1f399-1f39b 1f39e-1f39f 1f3cd-1f3ce 1f3d4-1f3df 1f3f3 1f3f5 1f3f7 1f43f 1f441 1f4fd "
    "1f549-1f54a 1f56f-1f570 1f573 1f576-1f579 1f587 1f58a-1f58d 1f5a5 1f5a8 1f5b1-1f5b2 1f5bc 1f5c2-1f5c4 1f5d1-1f5d3 "
    "1f5dc-1f5de 1f5e1 1f5e3 1f5e8 1f5ef 1f5f3 1f5fa 1f6cb 1f6cd-1f6cf 1f6e0-1f6e5 1f6e9 1f6f0 1f6f3"
)
_STYLED_ONLY = _set("a9 ae 2122 265f")  # these are emoji with U+FE0F only
# take a skin tone
_STYLED_PEOPLE = _set("261d 26f7 26f9 270c-270d 1f3cb-1f3cc 1f574-1f575 1f590")
_PEOPLE = _set(
    "270a-270b 1f385 1f3c2-1f3c4 1f3c7 1f3ca 1f442-1f443 1f446-1f450 1f466-1f469 1f46e 1f470-1f478 1f47c 1f481-1f483 "
    "1f485-1f487 1f4aa 1f57a 1f595-1f596 1f645-1f647 1f64b-1f64f 1f6a3 1f6b4-1f6b6 1f6c0 1f6cc 1f918-1f91c 1f91e-1f91f 1f926 "
    "1f930-1f939 1f93d-1f93e 1f9b5-1f9b6 1f9b8-1f9b9 1f9d1-1f9dd"
)
# are joined with a sign for woman or man
_ACTING = _set(
    "1f3c3-1f3c4 1f3ca 1f46e 1f471 1f473 1f477 1f481-1f482 1f486-1f487 1f645-1f647 1f64b 1f64d-1f64e 1f6a3 1f6b4-1f6b6 1f926 "
    "1f935 1f937-1f939 1f93d-1f93e 1f9b8-1f9b9 1f9d6-1f9dd"
)
_STYLED_ACTING = _set("26f9 1f3cb-1f3cc 1f574-1f575")
_TONELESS_ACTING = _set("1f46f 1f93c 1f9de-1f9df")
# what a man or a woman is joined with: tools of work, and hair
_TOOLS = _set("1f33e 1f373 1f393 1f3a4 1f3a8 1f3eb 1f3ed 1f4bb-1f4bc 1f527 1f52c 1f680 1f692 1f9b0-1f9b3")
_STYLED_TOOLS = "\u2695\u2696\u2708"

# by the first letter: the second letters of the regions that have a flag (ISO 3166 and a few more)
_REGIONS = (
    "ACDEFGILMOQRSTUWXZ BABDEFGHIJLMNOQRSTVWYZ CACDFGHIKLMNOPRUVWXYZ DEGJKMOZ EACEGHRSTU FIJKMOR GABDEFGHILMNPQRSTUWY HKMNRTU "
    "ICDELMNOQRST JEMOP KEGHIMNPRWYZ LABCIKRSTUVY MACDEFGHKLMNOPQRSTUVWXYZ NACEFGILOPRUZ OM PAEFGHKLMNRSTWY QA REOSUW "
    "SABCDEGHIJKLMNORSTVXYZ TACDFGHJKLMNORTVWZ UAGMNSYZ VACEGINU WFS XK YET ZAMW"
)
_COUNTRIES = ("gbeng", "gbsct", "gbwls")


def _indicator(letter: str) -> str:
    return chr(0x1F1E6 + ord(letter) - ord("A"))


def _tags(region: str) -> str:
    return "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"


_FLAGS = "|".join(
    [
        *(_indicator(line[0]) + f"[{''.join(map(_indicator, line[1:]))}]" for line in _REGIONS.split()),
        f"\U0001f3f4(?:{'|'.join(map(_tags, _COUNTRIES))})",
        f"\U0001f3f3{_LOOK}{_JOIN}\U0001f308",  # the rainbow
        f"\U0001f3f4{_JOIN}\u2620{_LOOK}",  # the pirates
    ]
)
_SIGN = f"{_JOIN}[\u2640\u2642]{_LOOK}"
_HEART, _KISS = f"{_JOIN}\u2764{_LOOK}{_JOIN}", f"\U0001f48b{_JOIN}"
_CHILDREN = f"(?:{_JOIN}{_BOY}{_JOIN}{_BOY}|{_JOIN}{_GIRL}{_JOIN}[{_BOY}{_GIRL}]|{_JOIN}[{_BOY}{_GIRL}])"

SEQUENCE = pattern(
    "|".join(
        [
            f"[{_MAN}{_WOMAN}]{_TONE}?{_JOIN}(?:[{_STYLED_TOOLS}]{_LOOK}|[{_TOOLS}])",
            f"[{_STYLED_ACTING}](?:{_TONE}|{_LOOK}){_SIGN}",
            f"[{_ACTING}]{_TONE}?{_SIGN}",
            f"[{_TONELESS_ACTING}]{_SIGN}",
            f"{_MAN}{_HEART}(?:{_KISS})?{_MAN}",
            f"{_WOMAN}{_HEART}(?:{_KISS})?[{_MAN}{_WOMAN}]",
            f"(?:{_MAN}{_JOIN}{_MAN}|{_MAN}{_JOIN}{_WOMAN}|{_WOMAN}{_JOIN}{_WOMAN}|{_MAN}|{_WOMAN}){_CHILDREN}",
            f"\U0001f441{_JOIN}\U0001f5e8",  # an eye in a speech bubble
            _FLAGS,
            f"[#*0-9]{_LOOK}?\u20e3",
            f"[{_STYLED_ONLY}]{_LOOK}",
            f"[{_STYLED_PEOPLE}](?:{_LOOK}{_TONE}?|{_TONE})",
            f"[{_PEOPLE}]{_TONE}",
            f"[{_STYLED}]{_LOOK}",
        ]
    )
)
