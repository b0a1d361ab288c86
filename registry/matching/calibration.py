"""What a comparison score is worth: measured false match rates, and the bands that follow.

A calibration belongs to one encoder. It maps a cosine to the evidence L = -log10 of the false match
rate (FMR) at that score or more: of the upper end of its 95 % interval, and never beyond what was
measured. The thresholds of bands are evidence, and rise with the number of people on record.
"""

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from registry.encoders.identity import Condition
from registry.errors import InvalidError
from registry.policy.vocabulary import Band, Modality

ALL: Final = "all"
MINOR: Final = "minor"
SMALLEST_GALLERY: Final = 300
MATCH_EVIDENCE: Final = 4.5
GREY_EVIDENCE: Final = 3.5
CLAIMED_EVIDENCE: Final = 3.0  # one comparison: a false match rate of 1 in 1,000
# Of everybody together: less than that does not carry a band.
LEAST_EVIDENCE: Final = 3.0
MANY_SAMPLES: Final = 3  # a template of more is as good as one of three

CONDITIONS: Final[Mapping[Modality, frozenset[Condition]]] = {
    Modality.FACE: frozenset({Condition.PHOTO}),
    Modality.VOICE: frozenset({Condition.WIDE, Condition.TELEPHONE}),
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """What was measured, for those who must judge whether it resembles their people."""

    name: str
    people: PositiveInt
    samples: PositiveInt
    made: str
    by: str
    note: str = ""


class Curve(_Part):
    """Evidence by score, of one group of people and templates of one size.

    `curve`: (score, L) steps, both ascending. `impostors`, `genuine`: how many comparisons.
    """

    impostors: PositiveInt
    genuine: NonNegativeInt
    people: PositiveInt
    curve: tuple[tuple[FiniteFloat, Annotated[FiniteFloat, Field(ge=0)]], ...]

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        for (score, evidence), (next_score, more) in zip(self.curve, self.curve[1:], strict=False):
            if not (score < next_score and evidence < more):
                raise ValueError(f"the steps do not ascend at {next_score}")
        return self

    @property
    def top(self) -> float:
        """The most evidence that was measured; 0 where there was nothing."""
        return self.curve[-1][1] if self.curve else 0.0

    def evidence(self, score: float) -> float:
        """L of the greatest step that is at most the score; 0 below the first."""
        at = bisect_right(self.curve, score, key=lambda step: step[0])
        return self.curve[at - 1][1] if at else 0.0

    def score_of(self, evidence: float) -> float:
        """The least score with this evidence or more; there is one, up to `top`."""
        return self.curve[bisect_left(self.curve, evidence, key=lambda step: step[1])][0]


_Number = Annotated[str, Field(pattern=r"^[1-9][0-9]?$")]


class _Document(_Part):
    schema_: Literal[1] = Field(alias="schema")
    encoder: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*/[0-9]+$")]
    modality: Modality
    data: Source
    conditions: dict[Condition, dict[_Number, dict[str, Curve]]]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        needed = CONDITIONS.get(self.modality)
        if needed is None:
            raise ValueError(f"nothing is compared of a {self.modality}")
        if set(self.conditions) != needed:
            raise ValueError(f"conditions of a {self.modality} are {', '.join(sorted(needed))}")
        for condition, numbers in self.conditions.items():
            if max(map(int, numbers), default=0) < MANY_SAMPLES:
                raise ValueError(f"{condition} lacks templates of {MANY_SAMPLES} samples")
            for number, groups in numbers.items():
                if ALL not in groups or groups[ALL].top < LEAST_EVIDENCE:
                    raise ValueError(
                        f'{condition}, {number}: "{ALL}" does not resolve a false match rate of'
                        f" 1 in {10**LEAST_EVIDENCE:,.0f}"
                    )
        return self


Tables = Mapping[Condition, Mapping[int, Mapping[str, Curve]]]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The curves of an encoder, by condition, size of the template and group. Immutable.

    For a size that was not measured the next larger one speaks: at one score the FMR rises with the
    size (a mean is nearer to everybody), so the larger one claims less. The largest, at least 3,
    stands for all above it. A file without templates of 3 samples is refused, since 1 or 2 would
    speak too boldly for them.
    """

    encoder: str
    modality: Modality
    data: Source
    tables: Tables

    @classmethod
    def from_document(cls, document: object, where: str) -> Self:
        """The calibration of a JSON document; InvalidError naming `where` and place of a fault."""
        try:
            read = _Document.model_validate_json(json.dumps(document), strict=True)
        except ValidationError as fault:
            first = fault.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "document"
            raise InvalidError(f"{where}: {place}: {first['msg']}.") from fault
        except (TypeError, ValueError) as fault:
            raise InvalidError(f"{where}: not a JSON document.") from fault
        tables = {
            condition: {int(number): groups for number, groups in sorted(numbers.items())}
            for condition, numbers in read.conditions.items()
        }
        return cls(read.encoder, read.modality, read.data, tables)

    def groups(self, condition: Condition) -> frozenset[str]:
        """The groups of people measured under this condition, "all" among them."""
        return frozenset(name for table in self._sizes(condition).values() for name in table)

    def evidence(
        self, score: float, *, condition: Condition, samples: int, group: str = ALL
    ) -> float:
        """L of a cosine, of a template of so many samples, among the impostors of a group.

        0 for a group that was not measured with templates of this size. Raises InvalidError for
        a condition that is not this encoder's, a score that is no number, and samples < 1.
        """
        if math.isnan(score):
            raise InvalidError("A score is a number.")
        curve = self._curve(condition, samples, group)
        return curve.evidence(score) if curve is not None else 0.0

    def band(
        self,
        score: float,
        *,
        condition: Condition,
        samples: int,
        gallery: int,
        minor: bool,
        claimed: bool,
    ) -> Band:
        """Band of a cosine between a probe and a template of so many samples.

        `gallery`: verified people of this modality, among whom the probe was searched; `minor`:
        the reference is a child's; `claimed`: the caller named this person. MATCH and GREY go by
        everybody's curve and need no more than it resolves; STRONG goes by the worst of all
        groups, and there is none where that is too small to tell. Raises InvalidError as
        `evidence`, and for a gallery below 0.
        """
        grown = _decades(gallery)
        everybody = self.evidence(score, condition=condition, samples=samples)
        worst = self._worst(score, condition, samples, minor=minor)
        if worst >= (CLAIMED_EVIDENCE if claimed else MATCH_EVIDENCE + grown):
            return Band.STRONG
        top = self._everybody(condition, samples).top
        if everybody >= min(MATCH_EVIDENCE + grown, top):
            return Band.MATCH
        return Band.GREY if everybody >= min(GREY_EVIDENCE + grown, top - 1) else Band.NONE

    def floor(self, condition: Condition, gallery: int) -> float:
        """The least cosine that is GREY for a template of some size: what a search must reach.

        A claimed person's band may be STRONG below it, so a search finds that person by name.
        """
        need = GREY_EVIDENCE + _decades(gallery)
        curves = [groups[ALL] for groups in self._sizes(condition).values()]
        return min(one.score_of(min(need, one.top - 1)) for one in curves)

    def margin(self, condition: Condition) -> float:
        """How far a cosine falls, from MATCH down, while the FMR grows tenfold.

        A runner-up nearer than that to the best is nearly as likely the person. Of templates of
        several sizes the widest: the two that are compared may be of different ones.
        """
        falls = []
        for groups in self._sizes(condition).values():
            match = min(MATCH_EVIDENCE, groups[ALL].top)
            falls.append(groups[ALL].score_of(match) - groups[ALL].score_of(match - 1))
        return max(falls)

    def _worst(self, score: float, condition: Condition, samples: int, *, minor: bool) -> float:
        groups = self.groups(condition)
        wanted = groups | {MINOR} if minor else groups - {MINOR}
        return min(
            self.evidence(score, condition=condition, samples=samples, group=one) for one in wanted
        )

    def _everybody(self, condition: Condition, samples: int) -> Curve:
        return next(self._curves(condition, samples, ALL))

    def _curve(self, condition: Condition, samples: int, group: str) -> Curve | None:
        return next(self._curves(condition, samples, group), None)

    def _curves(self, condition: Condition, samples: int, group: str) -> Iterator[Curve]:
        """The group's curves from this size of template upwards."""
        if samples < 1:
            raise InvalidError("A template is made of at least one sample.")
        sizes = self._sizes(condition)
        least = min(samples, max(sizes))
        return (
            sizes[size][group] for size in sorted(sizes) if size >= least and group in sizes[size]
        )

    def _sizes(self, condition: Condition) -> Mapping[int, Mapping[str, Curve]]:
        if condition not in self.tables:
            raise InvalidError(f"{self.encoder} is not calibrated for {condition}.")
        return self.tables[condition]


def _decades(gallery: int) -> float:
    """By how much more evidence so many people ask for than 300: false alarms grow with them."""
    if gallery < 0:
        raise InvalidError("A gallery has no fewer than 0 people.")
    return math.log10(max(SMALLEST_GALLERY, gallery) / SMALLEST_GALLERY)
