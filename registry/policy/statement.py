"""What every statement of a pack carries: where it comes from, and how sure that is."""

from datetime import date
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from registry.policy.pack_words import Confidence, Evidence, Status


class Part(BaseModel):
    """A piece of a pack: closed and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Statement(Part):
    """One thing a pack says, with where it comes from and how sure that is.

    `law`: ids of the pack's instruments. `review_by`: when to look again; left out, as the pack.
    `effective`: the first day on which it holds; left out, it holds already.
    """

    can_begin_later: ClassVar[bool] = False
    is_law: ClassVar[bool] = True

    law: tuple[str, ...] = ()
    evidence: Evidence
    confidence: Confidence
    status: Status = Status.IN_FORCE
    effective: date | None = None
    review_by: date | None = None
    note: str = ""

    @model_validator(mode="after")
    def _rests_on_something(self) -> Self:
        if self.is_law and not self.law and self.evidence is not Evidence.POLICY:
            raise ValueError("name the law it rests on, or say `evidence: policy`")
        if self.effective is not None and not self.can_begin_later:
            raise ValueError("effective is for bars, forms, terms, duties and advice")
        return self

    def holds(self, today: date) -> bool:
        """Whether it has begun to hold."""
        return self.effective is None or self.effective <= today
