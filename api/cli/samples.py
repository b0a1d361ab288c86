"""`likeness sample`: enrolled samples, listed, decided on and taken back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, NamedTuple
from uuid import UUID

import typer

from api.cli.output import AsJson, line, note, result, table
from api.cli.session import Acting, Owner, identifier, run_as
from api.cli.settings import DataDir
from registry import enrolment, samples, subjects
from registry.paging import MAX_PAGE
from registry.samples import Sample, SampleState

app = typer.Typer(no_args_is_help=True)

SampleId = Annotated[str, typer.Argument(metavar="SAMPLE", help="The sample's id.")]
Reason = Annotated[str | None, typer.Option(help="Why, for the record.")]
_REMARKS = {
    samples.Verdict.HOLD_FAR_FROM_OWN: "unlike the subject's others",
    samples.Verdict.HOLD_NEAR_OTHERS: "resembles somebody else",
}


class _Seen(NamedTuple):
    sample: Sample
    state: SampleState
    remark: str | None


@app.command("list")
def list_(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="The subject's id.")],
    *,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """List the samples of a person, oldest first.

    For example:

        likeness sample list 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10
    """
    wanted = identifier(subject, "subject")

    async def work(acting: Acting) -> list[_Seen]:
        async with acting.db.reading() as session:
            await subjects.mine(session, wanted)
            found = (await samples.by_subject(session, [wanted]))[wanted]
            states = await samples.states(session, [one.id for one in found])
            why = await samples.why_held(session, [one.id for one in found])
        return _seen(found, states, why)

    found = run_as(owner, work, data_dir=data_dir)
    result({"samples": [_document(one) for one in found]}, lambda: _table(found))


@app.command("held")
def held(
    *,
    first: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="At most so many.")] = MAX_PAGE,
    after: Annotated[str | None, typer.Option(help="Only those after this id.")] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """List the samples that wait for you, oldest first.

    For example:

        likeness sample held
    """
    start = None if after is None else identifier(after, "sample")

    async def work(acting: Acting) -> tuple[list[_Seen], bool]:
        async with acting.db.reading() as session:
            page = await samples.held(session, first=first, after=start)
            ids = [one.id for one in page.items]
            states = await samples.states(session, ids)
            why = await samples.why_held(session, ids)
        return _seen(page.items, states, why), page.more

    found, more = run_as(None, work, data_dir=data_dir)
    result({"samples": [_document(one) for one in found], "more": more}, lambda: _table(found))
    if more:
        note(f"There are more: --after {found[-1].sample.id}")


@app.command("release")
def release(
    sample: SampleId,
    *,
    reason: Reason = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Let a sample count that waits, or was refused: you have seen whose it is.

    For example:

        likeness sample release 0199c2f5-1b2c-7d3e-8f4a-5b6c7d8e9f0a --reason "twin sister"
    """
    _decide(enrolment.release, sample, reason, owner=None, data_dir=data_dir)


@app.command("refuse")
def refuse(
    sample: SampleId,
    *,
    reason: Reason = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Decide that a sample does not count.

    For example:

        likeness sample refuse 0199c2f5-1b2c-7d3e-8f4a-5b6c7d8e9f0a --reason "not this person"
    """
    _decide(enrolment.refuse, sample, reason, owner=None, data_dir=data_dir)


@app.command("retire")
def retire(
    sample: SampleId,
    *,
    reason: Reason = None,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Take a sample back, for good. No check that starts afterwards compares with it.

    For example:

        likeness sample retire 0199c2f5-1b2c-7d3e-8f4a-5b6c7d8e9f0a --owner anna
    """
    _decide(enrolment.retire, sample, reason, owner=owner, data_dir=data_dir)


def _decide(
    act: Callable[..., Awaitable[Sample]],
    sample: str,
    reason: str | None,
    *,
    owner: str | None,
    data_dir: DataDir,
) -> None:
    wanted = identifier(sample, "sample")

    async def work(acting: Acting) -> _Seen:
        async with acting.db.writing() as session:
            found = await act(
                session,
                sample_id=wanted,
                actor_id=acting.id,
                keys=acting.installation.keys,
                reason=reason,
            )
            states = await samples.states(session, [wanted])
        return _Seen(found, states[wanted], None)

    seen = run_as(owner, work, data_dir=data_dir)
    result(_document(seen), lambda: line(f"Sample {wanted} is {seen.state}."))


def _seen(
    found: Sequence[Sample],
    states: Mapping[UUID, SampleState],
    why: Mapping[UUID, str | None],
) -> list[_Seen]:
    waits = SampleState.IN_REVIEW
    return [
        _Seen(one, states[one.id], why.get(one.id) if states[one.id] is waits else None)
        for one in found
    ]


def _table(found: Sequence[_Seen]) -> None:
    remarks: dict[str, str] = {str(one): text for one, text in _REMARKS.items()}
    table(
        ["ID", "SUBJECT", "MODALITY", "STATE", "SINCE", ""],
        [
            (
                str(one.sample.id),
                str(one.sample.subject_id),
                one.sample.modality,
                one.state,
                f"{one.sample.created_at:%Y-%m-%d %H:%M}",
                remarks.get(one.remark or "", one.remark or ""),
            )
            for one in found
        ],
    )


def _document(seen: _Seen) -> dict[str, object]:
    return {
        "id": seen.sample.id,
        "subjectId": seen.sample.subject_id,
        "modality": seen.sample.modality,
        "encoders": seen.sample.encoders,
        "state": seen.state,
        "heldFor": seen.remark,
        "enrolledBy": seen.sample.enrolled_by,
        "createdAt": seen.sample.created_at,
    }
