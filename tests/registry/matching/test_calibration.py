import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.encoders.identity import Condition
from registry.errors import InvalidError
from registry.matching.calibration import Calibration
from registry.policy.vocabulary import Band, Modality

Json = dict[str, Any]

PHOTO = Condition.PHOTO


def curve(steps: list[tuple[float, float]]) -> Json:
    return {"impostors": 5000, "genuine": 50, "people": 20, "curve": [list(one) for one in steps]}


def document(sizes: Json) -> Json:
    return {
        "schema": 1,
        "encoder": "test/1",
        "modality": "FACE",
        "data": {"name": "made up", "people": 20, "samples": 60, "made": "2026-11-25", "by": "me"},
        "conditions": {"PHOTO": sizes},
    }


def read(sizes: Json) -> Calibration:
    return Calibration.from_document(document(sizes), "test.json")


WIDE_CURVE = curve([(0.1, 1.0), (0.2, 2.0), (0.3, 3.0), (0.35, 3.5), (0.45, 4.5), (0.5, 5.0)])
STRICT_CURVE = curve([(0.15, 1.0), (0.4, 3.5), (0.6, 5.5)])
PLAIN = {"3": {"all": WIDE_CURVE}}
GROUPS = {
    "1": {"all": WIDE_CURVE},
    "3": {
        "all": STRICT_CURVE,
        "minor": curve([(0.5, 2.0), (0.7, 3.0)]),
        "few": curve([(0.1, 3.2)]),
    },
}


def band(calibration: Calibration, score: float, **changed: Any) -> Band:
    given = {"condition": PHOTO, "samples": 3, "gallery": 300, "minor": False, "claimed": False}
    return calibration.band(score, **(given | changed))


def test_evidence_is_that_of_the_greatest_step_reached_and_none_below_the_first() -> None:
    calibration = read(PLAIN)
    for score, expected in (
        (-1, 0.0),
        (0.0999, 0.0),
        (0.1, 1.0),
        (0.2999, 2.0),
        (0.3, 3.0),
        (0.5, 5.0),
        (1.0, 5.0),
        (float("inf"), 5.0),
    ):
        assert calibration.evidence(score, condition=PHOTO, samples=1) == expected


def test_a_size_that_was_not_measured_is_read_from_the_next_larger_one() -> None:
    calibration = read(GROUPS)
    told = [calibration.evidence(0.45, condition=PHOTO, samples=n) for n in (1, 2, 3, 40)]
    assert told == [4.5, 3.5, 3.5, 3.5]


def test_a_group_that_was_not_measured_tells_nothing() -> None:
    sizes = {"1": {"all": WIDE_CURVE, "early": WIDE_CURVE}, **PLAIN}
    calibration = read(sizes)
    told = [calibration.evidence(1, condition=PHOTO, samples=n, group="early") for n in (1, 2, 3)]
    assert told == [5.0, 0.0, 0.0]
    assert calibration.evidence(1, condition=PHOTO, samples=1, group="nobody") == 0.0
    assert calibration.groups(PHOTO) == {"all", "early"}
    assert band(calibration, 1, claimed=True, samples=1) is Band.STRONG
    assert band(calibration, 1, claimed=True, samples=2) is Band.MATCH


def test_bands_of_a_small_gallery() -> None:
    calibration = read({"3": {"all": WIDE_CURVE, "few": curve([(0.5, 4.5), (0.55, 4.6)])}})
    told = [band(calibration, score) for score in (0.34, 0.35, 0.449, 0.45, 0.499, 0.5)]
    assert told == [Band.NONE, Band.GREY, Band.GREY, Band.MATCH, Band.MATCH, Band.STRONG]
    assert [band(calibration, score, gallery=0) for score in (0.34, 0.35)] == told[:2]


def test_thresholds_rise_with_the_gallery_until_what_was_measured_ends() -> None:
    calibration = read(PLAIN)
    assert [band(calibration, 0.45, gallery=n) for n in (300, 301)] == [Band.STRONG, Band.GREY]
    # 3.5 + 2 decades is more than was measured: its last step, and a decade below it, must do.
    told = [band(calibration, score, gallery=30_000) for score in (0.35, 0.45, 0.5)]
    assert told == [Band.NONE, Band.GREY, Band.MATCH]


def test_a_claimed_person_is_compared_once_so_less_evidence_is_strong() -> None:
    calibration = read(PLAIN)
    told = [band(calibration, score, claimed=True) for score in (0.29, 0.3)]
    assert told == [Band.NONE, Band.STRONG]
    assert band(calibration, 0.3, claimed=True, gallery=10**7) is Band.STRONG


def test_the_worst_group_decides_what_is_strong_and_no_more() -> None:
    worse = curve([(0.4, 2.0), (0.48, 3.0)])
    calibration = read({"3": {"all": WIDE_CURVE, "worse": worse}})
    told = [band(calibration, score, claimed=True) for score in (0.36, 0.46, 0.48)]
    assert told == [Band.GREY, Band.MATCH, Band.STRONG]
    assert band(calibration, 0.9) is Band.MATCH  # the group does not resolve 4.5


def test_of_children_nothing_is_strong_unless_children_were_measured() -> None:
    assert band(read(PLAIN), 0.9, claimed=True, minor=True) is Band.MATCH
    calibration = read(GROUPS)
    told = [band(calibration, score, claimed=True, minor=True) for score in (0.4, 0.6, 0.7)]
    assert told == [Band.GREY, Band.MATCH, Band.STRONG]
    assert band(calibration, 0.4, claimed=True) is Band.STRONG
    small = copy.deepcopy(GROUPS)
    small["3"]["minor"] = curve([(0.5, 2.9)])
    assert band(read(small), 0.9, claimed=True, minor=True) is Band.MATCH
    small["3"]["minor"] = curve([])
    assert band(read(small), 0.9, claimed=True, minor=True) is Band.MATCH


def test_the_floor_is_the_least_score_that_is_grey_for_some_size() -> None:
    calibration = read(GROUPS)
    assert calibration.floor(PHOTO, 0) == calibration.floor(PHOTO, 300) == 0.35
    assert calibration.floor(PHOTO, 10**6) == 0.45
    assert band(calibration, 0.35, samples=1) is Band.GREY


def test_the_margin_is_a_decade_of_false_matches_below_match() -> None:
    calibration = read(GROUPS)
    assert calibration.margin(PHOTO) == pytest.approx(max(0.45 - 0.35, 0.6 - 0.4))


@pytest.mark.parametrize(
    "asked",
    [
        {"condition": Condition.WIDE},
        {"samples": 0},
        {"gallery": -1},
        {"score": float("nan")},
    ],
)
def test_what_has_no_answer_is_refused_and_never_no_match(asked: Json) -> None:
    calibration = read(PLAIN)
    with pytest.raises(InvalidError):
        band(calibration, asked.pop("score", 0.5), **asked)


def test_questions_about_another_condition_are_refused() -> None:
    calibration = read(PLAIN)
    for ask in (
        lambda: calibration.floor(Condition.TELEPHONE, 1),
        lambda: calibration.margin(Condition.TELEPHONE),
        lambda: calibration.groups(Condition.TELEPHONE),
        lambda: calibration.floor(PHOTO, -1),
    ):
        with pytest.raises(InvalidError):
            ask()


def test_a_voice_needs_both_its_conditions() -> None:
    voice = document(PLAIN) | {"modality": "VOICE", "conditions": {"WIDE": PLAIN}}
    with pytest.raises(InvalidError, match="TELEPHONE, WIDE"):
        Calibration.from_document(voice, "voice.json")
    voice["conditions"]["TELEPHONE"] = PLAIN
    calibration = Calibration.from_document(voice, "voice.json")
    assert (calibration.encoder, calibration.modality) == ("test/1", Modality.VOICE)
    assert calibration.data.people == 20


def change(*path: str, to: object) -> Callable[[Json], None]:
    def make(document: Json) -> None:
        *before, last = path
        for key in before:
            document = document[key]
        document[last] = to

    return make


FAULTS = [
    (change("schema", to=2), "schema"),
    (change("encoder", to="no version"), "encoder"),
    (change("modality", to="NAME"), "nothing is compared"),
    (change("modality", to="SMELL"), "modality"),
    (change("surprise", to=1), "surprise"),
    (change("data", "people", to=0), "data.people"),
    (change("data", "people", to="20"), "data.people"),
    (change("conditions", to={}), "conditions of a FACE are PHOTO"),
    (change("conditions", "DARK", to=PLAIN), "conditions.DARK"),
    (change("conditions", "PHOTO", to={}), "lacks templates of 3"),
    (change("conditions", "PHOTO", to={"2": {"all": WIDE_CURVE}}), "lacks templates of 3"),
    (change("conditions", "PHOTO", "0", to={"all": WIDE_CURVE}), "conditions.PHOTO.0"),
    (change("conditions", "PHOTO", "1", to={"few": WIDE_CURVE}), "PHOTO, 1"),
    (change("conditions", "PHOTO", "3", "all", to=curve([])), "1 in 1,000"),
    (change("conditions", "PHOTO", "3", "all", to=curve([(0.1, 2.9)])), "1 in 1,000"),
    (change("conditions", "PHOTO", "3", "all", "impostors", to=0), "all.impostors"),
    (
        change("conditions", "PHOTO", "3", "all", to=curve([(0.1, 1), (0.1, 4)])),
        "ascend at 0.1",
    ),
    (
        change("conditions", "PHOTO", "3", "all", to=curve([(0.1, 4), (0.2, 4)])),
        "ascend at 0.2",
    ),
    (change("conditions", "PHOTO", "3", "all", to=curve([(0.1, -1), (0.2, 4)])), "all.curve"),
    (
        change("conditions", "PHOTO", "3", "all", to=curve([(0.1, 4), (float("nan"), 5)])),
        "all.curve",
    ),
    (change("data", to=object()), "not a JSON document"),
]


@pytest.mark.parametrize(("fault", "place"), FAULTS, ids=map(str, range(len(FAULTS))))
def test_a_fault_is_named_with_its_place(fault: Callable[[Json], None], place: str) -> None:
    faulty = copy.deepcopy(document(PLAIN))
    fault(faulty)
    with pytest.raises(InvalidError, match=place) as told:
        Calibration.from_document(faulty, "mine.json")
    assert str(told.value).startswith("mine.json: ")


@pytest.mark.parametrize("content", [None, [], "text", 3])
def test_another_document_is_refused(content: object) -> None:
    with pytest.raises(InvalidError, match=r"mine\.json: document"):
        Calibration.from_document(content, "mine.json")


scores = st.floats(-1, 1)


@st.composite
def curves(draw: st.DrawFn, least: float = 0.0) -> Json:
    count = draw(st.integers(1, 6))
    at = sorted(draw(st.lists(scores, min_size=count, max_size=count, unique=True)))
    evidence = st.floats(0, 6, exclude_max=True)
    told = sorted(draw(st.lists(evidence, min_size=count, max_size=count, unique=True)))
    told[-1] = max(told[-1], least)
    return curve(list(zip(at, told, strict=True)))


tables = st.fixed_dictionaries(
    {"all": curves(least=3.0)}, optional={"minor": curves(), "x": curves(), "y": curves()}
)
sizes = st.fixed_dictionaries({"3": tables}, optional={"1": tables, "2": tables, "5": tables})
questions = st.fixed_dictionaries(
    {
        "samples": st.integers(1, 7),
        "gallery": st.integers(0, 10**6),
        "minor": st.booleans(),
        "claimed": st.booleans(),
    }
)


@given(sizes, scores, scores, questions, st.integers(0, 10**7))
@settings(max_examples=400, deadline=None)
def test_bands_keep_their_order(
    made: Json, score: float, other: float, asked: Json, more: int
) -> None:
    calibration = read(made)
    told = band(calibration, score, **asked).rank
    assert band(calibration, max(score, other), **asked).rank >= told
    assert band(calibration, score, **(asked | {"gallery": asked["gallery"] + more})).rank <= told
    assert band(calibration, score, **(asked | {"claimed": True})).rank >= told
    assert band(calibration, score, **(asked | {"minor": True})).rank <= told
    if told and not (asked["claimed"] and told == Band.STRONG.rank):
        assert score >= calibration.floor(PHOTO, asked["gallery"])


@given(sizes, st.sampled_from("123"), curves(), scores, questions)
@settings(max_examples=200, deadline=None)
def test_another_group_never_gives_a_higher_band(
    made: Json, size: str, added: Json, score: float, asked: Json
) -> None:
    told = band(read(made), score, **asked).rank
    more = copy.deepcopy(made)
    more.get(size, more["3"])["z"] = added
    assert band(read(more), score, **asked).rank <= told


@given(sizes)
@settings(max_examples=100, deadline=None)
def test_the_order_in_the_file_does_not_matter(made: Json) -> None:
    turned = {size: dict(reversed(groups.items())) for size, groups in reversed(made.items())}
    assert read(turned) == read(made)
