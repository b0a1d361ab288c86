import json
from datetime import date

import numpy as np
import pytest

from registry.calibrating import report
from registry.calibrating.study import Study, Taken, measure
from registry.calibrating.trials import Samples
from registry.encoders.identity import Condition
from registry.errors import InvalidError
from registry.matching.calibration import Calibration
from registry.policy.vocabulary import Band, Modality
from tests.registry.calibrating.made import people


@pytest.fixture(scope="module")
def study() -> Study:
    """70 people, of whom ten resemble each other."""
    samples = people(70, 4, noise=1.2)
    like = samples.people < 10
    vectors = samples.vectors.copy()
    vectors[like] += 0.7 * vectors[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    samples = Samples(vectors, samples.people, samples.recordings)
    groups = {"alike": frozenset(range(10)), "alone": frozenset({50}), "minor": frozenset({60, 61})}
    taken = [Taken(Condition.PHOTO, samples, {"photo": samples})]
    results, tables = measure(taken, groups)
    return Study("test/1", Modality.FACE, "made up", 70, 280, "note", results, tables)


@pytest.fixture(scope="module")
def calibration(study: Study) -> Calibration:
    document = json.loads(json.dumps(study.document(date(2026, 11, 25), "me")))
    return Calibration.from_document(document, "test")


def test_a_study_makes_a_calibration(study: Study, calibration: Calibration) -> None:
    assert calibration.groups(Condition.PHOTO) == {"all", "alike", "minor"}
    assert (calibration.data.people, calibration.data.made) == (70, "2026-11-25")
    for size in (1, 2, 3):
        asked = {"condition": Condition.PHOTO, "samples": size}
        told = [calibration.evidence(score, **asked) for score in np.linspace(-1, 1, 50)]
        assert told == sorted(told)
        assert told[0] == 0
        assert 3.5 < told[-1] < 5.5
    one = next(one for one in study.results if (one.size, one.group) == (1, "all"))
    assert calibration.tables[Condition.PHOTO][1]["all"].impostors == len(one.trials.impostors)


def test_a_group_of_people_alike_has_less_evidence(calibration: Calibration) -> None:
    for size in (1, 2, 3):
        asked = {"condition": Condition.PHOTO, "samples": size}
        assert calibration.evidence(0.5, **asked, group="alike") < calibration.evidence(
            0.5, **asked
        )


def test_a_group_too_small_to_tell_allows_no_strong_band(calibration: Calibration) -> None:
    told = calibration.band(
        1.0, condition=Condition.PHOTO, samples=3, gallery=300, minor=False, claimed=True
    )
    assert told is Band.MATCH  # 720 pairs of people alike do not show 1 in 1,000


def test_the_tables_tell_the_same(study: Study, calibration: Calibration) -> None:
    made = {one.title.split(",")[0]: one for one in report.tables(study, calibration)}
    errs = made["How often it errs"]
    assert [row[:3] for row in errs.rows] == [
        ("PHOTO", "photo", "1"),
        ("PHOTO", "photo", "2"),
        ("PHOTO", "photo", "3 or more"),
    ]
    (grey, match, *strong) = made["Least score of each band"].rows[0][3:]
    assert float(grey) < float(match)
    assert strong == ["none", "none"]
    for score, band in ((float(grey), Band.GREY), (float(match), Band.MATCH)):
        for at, expected in ((score, band.rank), (score - 1e-5, band.rank - 1)):
            told = calibration.band(
                at, condition=Condition.PHOTO, samples=1, gallery=300, minor=False, claimed=False
            )
            assert told.rank == expected
    alike = [row for row in made["Inside a group"].rows if row[0] == "alike"]
    assert all(float(row[6].split(", ")[1].removesuffix(" times")) > 5 for row in alike)
    text = report.markdown(study, list(made.values()), 3)
    assert "70 people, 280 samples. 3 more could not be used in full." in text
    assert text.count("\n### ") == 5


def test_without_a_calibration_there_are_no_bands(study: Study) -> None:
    assert len(report.tables(study, None)) == 3


def test_what_cannot_be_measured_is_refused() -> None:
    alone, strangers = people(1, 3), people(4, 1)
    with pytest.raises(InvalidError, match="two people"):
        measure([Taken(Condition.PHOTO, alone, {"photo": alone})], {})
    with pytest.raises(InvalidError, match="two samples"):
        measure([Taken(Condition.PHOTO, strangers, {"photo": strangers})], {})


def test_two_samples_each_make_no_calibration() -> None:
    samples = people(50, 2)
    results, tables = measure([Taken(Condition.PHOTO, samples, {"photo": samples})], {})
    study = Study("test/1", Modality.FACE, "pairs", 50, 100, "", results, tables)
    with pytest.raises(InvalidError, match="lacks templates of 3"):
        Calibration.from_document(study.document(date(2026, 1, 1), "me"), "test")
