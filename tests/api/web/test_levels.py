"""Levels: what each forbids, and what it leaves open, is what checks are answered by."""

import pytest
from starlette.datastructures import FormData

from api.web.forms import Form
from api.web.levels import SCOPES, Level, scope_of
from registry.database import Database
from registry.errors import InvalidError
from registry.objections import Objection
from registry.policy.vocabulary import AiUse, Modality, Purpose
from registry.scopes import Scope, scope_in
from tests import acts
from tests.api.web.conftest import kept
from tests.api.web.reading import Reader
from tests.conftest import Account, Execute


def form(**fields: str | list[str]) -> Form:
    pairs = [
        (name, one)
        for name, value in fields.items()
        for one in ([value] if isinstance(value, str) else value)
    ]
    return Form(FormData(pairs), {})


# The level, what is asked, and whether it is forbidden.
ASKED = [
    (Level.ALL, AiUse.BIOMETRIC_MATCH, Purpose.NEWS, True),
    (Level.ALL, AiUse.TRAIN_MODEL, Purpose.UNSPECIFIED, True),
    (Level.IMITATION, AiUse.SWAP_FACE, Purpose.SATIRE, True),
    (Level.IMITATION, AiUse.TRAIN_MODEL, Purpose.RESEARCH, True),
    (Level.IMITATION, AiUse.BIOMETRIC_MATCH, Purpose.ADVERTISING, False),
    (Level.IMITATION, AiUse.REDISTRIBUTE, Purpose.ADVERTISING, False),
    (Level.COMMERCE, AiUse.SWAP_FACE, Purpose.ADVERTISING, True),
    (Level.COMMERCE, AiUse.SWAP_FACE, Purpose.POLITICAL, True),
    (Level.COMMERCE, AiUse.SWAP_FACE, Purpose.UNSPECIFIED, True),
    (Level.COMMERCE, AiUse.SWAP_FACE, Purpose.INTIMATE_COMPANION, True),
    (Level.COMMERCE, AiUse.GENERATE_IMAGE, Purpose.NEWS, False),
    (Level.COMMERCE, AiUse.GENERATE_IMAGE, Purpose.PERSONAL, False),
]


@pytest.mark.parametrize("level", [Level.ALL, Level.IMITATION, Level.COMMERCE])
async def test_a_check_is_answered_by_the_level(
    reader: Reader, execute: Execute, service: Account, operator: Database, level: Level
) -> None:
    hex = acts.random_hash()
    number, _ = await reader.object(imageHash=hex, level=level)
    known = await kept(operator, number)
    async with operator.reading() as session:
        objection = await session.get(Objection, known.objection)
    assert objection is not None
    assert scope_in(objection) == SCOPES[level]
    for of, use, purpose, forbidden in ASKED:
        if of is not level:
            continue
        asked = acts.question(hex, use=use, purpose=purpose)
        decision = await acts.check(execute, service, asked)
        assert ("OBJECTION" in acts.codes(decision)) is forbidden, (use, purpose)
        assert not decision["mayProceed"]


async def test_an_own_choice_forbids_that_and_nothing_else(
    reader: Reader, execute: Execute, service: Account
) -> None:
    hex = acts.random_hash()
    own: dict[str, str | list[str]] = {"modality": ["FACE"], "purpose": ["GAMES", "MUSIC"]}
    await reader.object(imageHash=hex, level="OWN", **own)
    for purpose, forbidden in (("GAMES", True), ("MUSIC", True), ("FILM_TV", False)):
        decision = await acts.check(execute, service, acts.question(hex, purpose=purpose))
        assert ("OBJECTION" in acts.codes(decision)) is forbidden
    await reader.open("/case")
    assert "Of me: My face. For: Games, Music." in " ".join(reader.text.split())


def test_every_use_and_purpose_is_in_a_level_or_left_out_on_purpose() -> None:
    """A new word of the vocabulary is forbidden until somebody decides that it is not."""
    open_uses = {AiUse.BIOMETRIC_MATCH, AiUse.REDISTRIBUTE}
    assert SCOPES[Level.IMITATION] == Scope(uses=frozenset(AiUse) - open_uses)
    purposes = SCOPES[Level.COMMERCE].purposes
    assert purposes is not None
    assert Purpose.UNSPECIFIED in purposes
    assert set(Purpose) - purposes == {
        Purpose.NEWS,
        Purpose.EDUCATION,
        Purpose.RESEARCH,
        Purpose.ARCHIVAL,
        Purpose.ACCESSIBILITY,
        Purpose.MEMORIAL,
        Purpose.SATIRE,
        Purpose.PERSONAL,
        Purpose.SAFETY_DETECTION,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"level": ""},
        {"level": "all"},
        {"level": "OWN"},
        {"level": "OWN", "use": "FLY"},
        {"level": "OWN", "modality": ["FACE", "SOUL"]},
        {"level": "OWN", "purpose": ["", ""]},
    ],
)
def test_what_is_unclear_forbids_nothing_and_says_so(fields: dict[str, str | list[str]]) -> None:
    with pytest.raises(InvalidError) as refused:
        scope_of(form(**fields))
    assert refused.value.field == "level"


def test_what_is_ticked_beside_another_level_does_not_narrow_it() -> None:
    assert scope_of(form(level="ALL", modality="VOICE", use="SWAP_FACE")) == Scope()
    chosen = scope_of(form(level="OWN", modality=["VOICE", "FACE"], use="SWAP_FACE"))
    assert chosen == Scope(
        modalities=frozenset({Modality.VOICE, Modality.FACE}), uses=frozenset({AiUse.SWAP_FACE})
    )
