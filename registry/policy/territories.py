"""Which territory codes exist, and which lie within which.

Exact: ISO 3166-1 alpha-2 (all 249 officially assigned codes), the members of `EU`, and the ISO
3166-2 subdivisions of the United States. Any other subdivision is only checked for its form (a
known country, a hyphen, one to three letters or digits); `001` is the world (UN M.49).
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from registry.errors import InvalidError

WORLD = "001"
UNION = "EU"


def _codes(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# ISO 3166-1, officially assigned alpha-2 codes.
COUNTRIES = _codes(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """
)

MEMBERS_OF_THE_UNION = _codes(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
)

# ISO 3166-2:US: the states, the District of Columbia and the outlying areas.
PARTS_OF_THE_UNITED_STATES = _codes(
    """
    AK AL AR AZ CA CO CT DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM
    NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY DC AS GU MP PR UM VI
    """
)

# One place, two codes: a subdivision that ISO 3166-1 also lists as a country of its own.
_SAME = {
    **{f"US-{code}": code for code in ("AS", "GU", "MP", "PR", "UM", "VI")},
    **{f"FR-{code}": code for code in ("BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "TF",
                                       "WF", "YT")},
    "FR-971": "GP", "FR-972": "MQ", "FR-973": "GF", "FR-974": "RE", "FR-976": "YT",
    **{f"NL-{code}": code for code in ("AW", "CW", "SX")},
    **{f"NL-BQ{number}": "BQ" for number in (1, 2, 3)},
    **{f"CN-{code}": code for code in ("HK", "MO", "TW")},
    "FI-01": "AX", "NO-21": "SJ", "NO-22": "SJ", "DK-GL": "GL", "DK-FO": "FO",
}  # fmt: skip
# Whose law and consent reach there, and whether the union's do (TEU 52, TFEU 355).
_WITHIN = {
    **dict.fromkeys(("AS", "GU", "MP", "PR", "UM", "VI"), "US"),
    **dict.fromkeys(("GF", "GP", "MF", "MQ", "RE", "YT"), "FR"),
    "AX": "FI",
}
# Places a state calls its own but whose law differs: a refusal there and here may be the same one,
# a consent is not.
_BESIDE = {
    **dict.fromkeys(("BL", "NC", "PF", "PM", "TF", "WF"), "FR"),
    **dict.fromkeys(("AW", "BQ", "CW", "SX"), "NL"),
    **dict.fromkeys(("HK", "MO", "TW"), "CN"),
    **dict.fromkeys(("FO", "GL"), "DK"),
    **dict.fromkeys(("BV", "SJ"), "NO"),
}

_SUBDIVISION = re.compile(r"([A-Z]{2})-([A-Z0-9]{1,3})")


@lru_cache(maxsize=4096)
def exists(code: str) -> bool:
    """Whether this is a territory: ISO 3166-1 alpha-2, ISO 3166-2 (see above), `EU` or `001`."""
    if code in COUNTRIES or code in {UNION, WORLD}:
        return True
    part = _SUBDIVISION.fullmatch(code)
    if part is None or part[1] not in COUNTRIES:
        return False
    return part[1] != "US" or part[2] in PARTS_OF_THE_UNITED_STATES


@lru_cache(maxsize=4096)
def enclosing(code: str) -> frozenset[str]:
    """The territories this one lies within, without itself: `US-CA` lies in `US` and in `001`."""
    if code == WORLD:
        return frozenset()
    country = _WITHIN.get(code) or code.partition("-")[0]
    around = {WORLD, country} - {code}
    if country in MEMBERS_OF_THE_UNION:
        around.add(UNION)
    return frozenset(around)


def overlap(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether any of these territories is, contains or lies within any of those."""
    theirs = frozenset(map(canonical, others))
    theirs_around = frozenset[str]().union(*map(_reach, theirs))
    return any(
        code in theirs_around or not theirs.isdisjoint(_reach(code))
        for code in map(canonical, some)
    )


def canonical(code: str) -> str:
    """The one code of a place that has two: `PR` for `US-PR`."""
    return _SAME.get(code, code)


@lru_cache(maxsize=4096)
def _reach(code: str) -> frozenset[str]:
    """Where a refusal for this territory may have to be heard: it and all that may enclose it."""
    around = {code, *enclosing(code)}
    if code in _BESIDE:
        around |= {_BESIDE[code], *enclosing(_BESIDE[code])}
    return frozenset(around)


def check(codes: Iterable[str], *, field: str | None = None) -> frozenset[str]:
    """The places as a set of canonical codes. InvalidError names the first that does not exist."""
    wanted = frozenset(codes)
    for code in sorted(wanted):
        if not exists(code):
            raise InvalidError(
                f"Territory {code[:16]!r} does not exist (ISO 3166-1, 3166-2, EU or 001).",
                field=field,
            )
    return frozenset(map(canonical, wanted))
