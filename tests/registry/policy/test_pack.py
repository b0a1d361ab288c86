"""What a statement of a pack must say to be one."""

from pathlib import Path

import pytest

from registry.errors import SetupError
from registry.policy import territories
from registry.policy.prose import prose
from registry.policy.shelf import read_folder

from .build import many_packs

POLICY = "evidence: policy, confidence: low"
NONE = f"dead: {{terms: [{{kind: none, {POLICY}}}]}}"
PACK = """
id: IS
version: "2026.1.1"
name: Test
status: in_force
confidence: low
source: "Invented."
review_by: "2027-01-01"
"""


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("minors: {majority: 18, evidence: read, confidence: low}", "name the law it rests on"),
        (f"minors: {{majority: 18, effective: '2030-01-01', {POLICY}}}", "effective is for bars"),
        (
            "instruments: [{id: A, title: t, status: draft, evidence: read, confidence: low}]",
            "say in `source` what was read",
        ),
        (
            f"dead: {{terms: [{{kind: none, domicile: QQ, {POLICY}}}]}}",
            "domicile QQ is no territory",
        ),
        (
            (
                f"dead: {{terms: [{{kind: none, {POLICY}}}], holders: ["
                f"{{rank: 2, any_of: [CHILD], decision: any, {POLICY}}}, "
                f"{{rank: 1, any_of: [PARENT], decision: any, {POLICY}}}]}}"
            ),
            "the ranks of holders ascend",
        ),
        (
            f"bars: [{{id: X, message: m, cure: none, unfiled: IS, {POLICY}}}]",
            "say `binds_service: true`",
        ),
        (f"filing_formats: [{{kind: K, pattern: '(', example: a, {POLICY}}}]", "pattern: "),
        (
            f"filing_formats: [{{kind: K, pattern: a, example: b, {POLICY}}}]",
            "the example does not fit",
        ),
        (f"minors: {{majority: 18, law: [GONE], {POLICY}}}", "there is no instrument GONE"),
    ],
)
def test_a_statement_that_cannot_stand_is_refused(tmp_path: Path, said: str, fault: str) -> None:
    text = PACK + said if said.startswith("dead") else f"{PACK}{said}\n{NONE}"
    (tmp_path / "IS.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SetupError) as caught:
        read_folder(tmp_path)
    assert fault in str(caught.value)
    assert "IS.yaml: line " in str(caught.value)


def test_majority_alone_is_told_alone() -> None:
    assert "- Of age at 20. [registry policy; confidence low]" in prose(many_packs().packs["TH"])


def test_a_refusal_is_heard_beside_where_law_differs() -> None:
    assert territories.overlap(["HK"], ["CN"])
    assert territories.overlap(["CN"], ["HK"])
    assert not territories.overlap(["HK"], ["MO"])
