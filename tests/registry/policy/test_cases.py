"""The case runner, and the project's own decision cases."""

from pathlib import Path

import pytest

from registry.errors import InvalidError
from registry.policy.cases import CaseResult, run_case_files

from .build import packs

OWN = Path(__file__).parents[2] / "cases" / "zz.yaml"

FILE = """
schema_version: "1.0"
fixtures:
  now: "2026-11-22T12:00:00Z"
  thresholds: {VOICE: {low: 0.4, high: 0.6, margin: 0.05}, ASSET: {low: 10, high: 4}}
  name_index: [Ada]
  services: {svc: {state: ACTIVE, filings: {CN: number}}}
  subjects: {ada: {born: "1980-01-01", registration: VERIFIED}}
  grants:
    - {id: g, subject: ada, grantee: [svc], grantor_roles: [SELF], state: ACTIVE,
       from: "2026-01-01", until: "2027-01-01", modalities: [VOICE], uses: ["*"],
       purposes: [MUSIC], territories: [BR],
       written: true, separate: true}
  objections: [{id: o, subject: ada, state: WITHDRAWN, since: "2026-01-01T10:00:00+02:00"}]
  orders: [{id: r, subject: ada, uses: [TRAIN_MODEL]}]
cases:
- id: A1
  title: plain
  request: {service: svc, use: SYNTHESIZE_SPEECH, purpose: MUSIC, modalities: [VOICE],
            territories: [BR], persons: [{probe: {VOICE: [{subject: ada, score: 0.9}]}}]}
  expect: {outcome: PERMITTED, may_proceed: true, basis: CONSENT, reasons: [GRANT, "GRANT:g"],
           reasons_absent: [OBJECTION], obligations: [LABEL_EXPLICIT]}
- id: A2
  title: by name, and by a picture
  request: {service: svc, use: SYNTHESIZE_SPEECH, purpose: MUSIC, modalities: [VOICE],
            persons: [{name: Ada, asset: {subject: ada, distance: 7}}]}
  expect: {outcome: REVIEW_REQUIRED, may_proceed: false, reasons: [NAME_ONLY]}
workflow_cases: [{id: W1, given: something, then: "something else"}]
"""


def run(folder: Path, text: str) -> list[CaseResult]:
    path = folder / "cases.yaml"
    path.write_text(text, encoding="utf-8")
    return run_case_files([path], packs())


def test_every_own_case_is_answered_as_expected() -> None:
    results = run_case_files([OWN], packs())
    assert len(results) >= 90
    assert [one for one in results if not one.passed] == []


def test_a_file_is_run_in_order(tmp_path: Path) -> None:
    results = run(tmp_path, FILE)
    assert [(one.id, one.passed, one.differences) for one in results] == [
        ("A1", True, ()),
        ("A2", True, ()),
    ]
    assert results[0].got == "PERMITTED (GRANT)"


def test_a_wrong_answer_is_told_apart_in_words(tmp_path: Path) -> None:
    wrong = FILE.replace(
        "{outcome: PERMITTED, may_proceed: true, basis: CONSENT, reasons: [GRANT",
        "{outcome: UNKNOWN, may_proceed: false, basis: TERM_EXPIRED, reasons: [ORDER",
    ).replace(
        "reasons_absent: [OBJECTION], obligations: [LABEL_EXPLICIT]",
        "reasons_absent: [GRANT], obligations: [KEEP_LOG]",
    )
    result = run(tmp_path, wrong)[0]
    assert not result.passed
    assert (result.expected, result.got) == ("UNKNOWN", "PERMITTED (GRANT)")
    assert result.differences == (
        "outcome is PERMITTED, not UNKNOWN",
        "may_proceed is True",
        "basis is CONSENT, not TERM_EXPIRED",
        "reason ORDER is missing",
        "reason GRANT is given",
        "obligation KEEP_LOG is missing",
    )


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("title: plain", "titel: plain"), "cases.0"),
        (("use: SYNTHESIZE_SPEECH", "use: SING"), "cases.0.request.use"),
        (("outcome: PERMITTED", "outcome: MAYBE"), "cases.0.expect.outcome"),
        (("id: A2", "id: A1"), "cases: A1 is said twice"),
        (("{id: o,", "{id: g,"), "fixtures: g is said twice"),
        (("service: svc, use", "service: other, use"), "cases.A1: service: other"),
        (("[{subject: ada, score", "[{subject: eve, score"), "cases.A1: subject: eve"),
        (("{subject: ada, distance", "{subject: eve, distance"), "cases.A2: subject: eve"),
        (("{name: Ada,", "{claimed: eve, name: Ada,"), "cases.A2: subject: eve"),
        (("{id: r, subject: ada", "{id: r, subject: eve"), "fixtures.r: subject: eve"),
        (("territories: [BR], persons", "territories: [XX], persons"), "cases.A1: territories"),
        (
            ("territories: [BR],\n       written", "territories: [XX],\n       written"),
            "fixtures.g",
        ),
        (("VOICE: {low: 0.4", "FACE: {low: 0.4"), "cases.A1: there is no threshold for VOICE"),
        ((", ASSET: {low: 10, high: 4}", ""), "cases.A2: there is no threshold for ASSET"),
        (('now: "2026-11-22T12:00:00Z"', "now: noon"), "fixtures.now"),
    ],
)
def test_a_fault_is_one_line_and_nothing_is_run(
    tmp_path: Path, change: tuple[str, str], place: str
) -> None:
    assert change[0] in FILE
    with pytest.raises(InvalidError) as caught:
        run(tmp_path, FILE.replace(*change, 1))
    assert str(caught.value).startswith("cases.yaml: ")
    assert place in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidError, match="UTF-8"):
        run_case_files([OWN, path], packs())
