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
    country = code.partition("-")[0]
    around = {WORLD, country} - {code}
    if country in MEMBERS_OF_THE_UNION:
        around.add(UNION)
    return frozenset(around)


def overlap(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether any of these territories is, contains or lies within any of those."""
    theirs = frozenset(others)
    theirs_around = frozenset().union(*(enclosing(code) for code in theirs))
    return any(
        code in theirs or code in theirs_around or not theirs.isdisjoint(enclosing(code))
        for code in some
    )


def check(codes: Iterable[str], *, field: str | None = None) -> frozenset[str]:
    """The codes as a set. Raises InvalidError, naming the first that does not exist."""
    wanted = frozenset(codes)
    for code in sorted(wanted):
        if not exists(code):
            raise InvalidError(
                f"Territory {code[:16]!r} does not exist (ISO 3166-1, 3166-2, EU or 001).",
                field=field,
            )
    return wanted
