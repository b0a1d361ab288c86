"""`likeness policy explain` and `replay`: decisions that were made, held against the rules."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from pydantic import TypeAdapter

from api.cli.output import NO, AsJson, Bar, failing, line, pairs, result
from api.cli.session import identifier, run
from api.cli.settings import DataDir, settings_of
from registry import decisions
from registry import replay as replaying
from registry.decisions import Answer, Recorded
from registry.errors import NotFoundError
from registry.installation import Installation
from registry.policy.decision import Reason
from registry.policy.packs import PackSet
from registry.policy.shelf import Shelf
from registry.policy.trace import CaseTrace, Explanation
from registry.policy.trace import explain as traced
from registry.replay import Fate, Replayed

_EXPLANATION = TypeAdapter(Explanation)


def explain(
    decision: Annotated[str, typer.Argument(help="The id of a decision.")],
    *,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Explain a decision step by step: which rule said what, about whom, under which pack.

    It shows what the engine knew, which its service may not be told. It is decided again from the
    facts and packs it was made of; a decision about somebody who was erased cannot be opened.

    For example:

        likeness policy explain 01993b2e-0f3a-7c51-a1d2-6e9f0b8c4d21
    """
    decision_id = identifier(decision, "decision")

    async def work(installation: Installation) -> tuple[Answer, Recorded]:
        async with installation.operator.reading() as session:
            row = await decisions.get(session, decision_id)
            if row is None:
                raise NotFoundError("No such decision.")
            answer = decisions.opened(row, keys=installation.keys)
            return answer, await replaying.opened(session, row, keys=installation.keys)

    answer, recorded = run(work, data_dir=data_dir)
    with failing():
        packs = _shelf(data_dir).at(recorded.packs)
        told = traced(recorded.facts, packs)
    result(
        {
            "id": str(answer.id),
            "told": {"outcome": answer.outcome, "reasons": [one.code for one in answer.reasons]},
            "explanation": _EXPLANATION.dump_python(told, mode="json"),
        },
        lambda: _show(answer, recorded, told),
    )


def _show(answer: Answer, recorded: Recorded, told: Explanation) -> None:
    request, service = recorded.facts.request, recorded.facts.service
    packs = ", ".join(f"{one.id}@{one.version}" for one in recorded.packs)
    pairs(
        [
            ("Decision", str(answer.id)),
            ("Decided", f"{answer.decided_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("Asked", f"{request.use} for {request.purpose}, {_joined(request.modalities)}"),
            ("Where", _joined(request.territories) or "not said"),
            ("Content", _joined(request.content) or "nothing flagged"),
            ("By", f"service {service.id}, tier {service.tier}"),
            ("Packs", packs),
            ("Engine", f"{recorded.decision.engine}, then; {told.decision.engine}, now"),
        ]
    )
    for one in told.refused:
        line("")
        line(f"Whoever it shows: {_reason(one)}")
    for case in told.cases:
        _show_case(case)
    line("")
    line(f"The worst counts: {told.decision.outcome}.")
    for one in told.decision.reasons:
        line(f"  {_reason(one)}")
    for duty in told.decision.obligations:
        line(f"  with the duty {duty.code}, from {duty.source}")
    if answer.outcome is not told.decision.outcome:
        line(f"The service was told {answer.outcome}: it may not learn of matches.")
    if told.decision != recorded.decision:
        line("Decided today from the same facts and packs, this differs from what was decided.")


def _show_case(case: CaseTrace) -> None:
    line("")
    who = f"taken for {case.subject}" if case.subject is not None else "nobody on record, for sure"
    strong = ", identity strong" if case.strong else ""
    line(f"Person {case.person}, {case.modality}: {who}{strong}; packs {_joined(case.packs)}")
    for pack, code in case.terms:
        line(f"  after death, {pack}: {code}")
    for grant in case.grants:
        lacks = f"lacks {_joined(grant.lacks)}" if grant.lacks else "covers it"
        ended = "" if grant.stands else "; an objection stands against it"
        line(f"  grant {grant.id}: {lacks}{ended}")
    for step in case.steps:
        said = "nothing to say"
        if step.outcome is not None:
            said = f"{step.outcome}: {'; '.join(map(_reason, step.reasons))}"
        line(f"  {step.number:2}. {step.sentence}: {said}")


def _reason(one: Reason) -> str:
    where = f" [{one.pack}]" if one.pack is not None else ""
    grant = f" [grant {one.grant}]" if one.grant is not None else ""
    return f"{one.code}{where}{grant} {one.message}"


def _joined(words: object) -> str:
    return ", ".join(sorted(map(str, words)))  # type: ignore[call-overload]  # any words


def replay(
    *,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only decisions from this day on, UTC."),
    ] = None,
    decision: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    current: Annotated[
        bool,
        typer.Option("--current", help="Under today's packs: what a change of law would change."),
    ] = False,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Make stored decisions again from what they were made of, and list those that differ.

    Each is decided under the packs of its time: the answer must be the same. Decisions about
    somebody who was erased cannot be opened, and are counted. Exit code 1 if any differs.

    For example:

        likeness policy replay

        likeness policy replay --since 2026-11-01 --current
    """
    shelf = _shelf(data_dir)
    with failing():
        packs = shelf.current() if current else None
    start = None if since is None else since.replace(tzinfo=UTC)
    only = None if decision is None else identifier(decision, "decision")

    async def work(installation: Installation) -> list[Replayed]:
        if only is not None:
            return [await _one(installation, only, shelf, packs)]
        return await _all(installation, shelf, packs, start)

    found = run(work, data_dir=data_dir)
    fates = Counter(one.fate for one in found)
    other = [one for one in found if one.fate is Fate.OTHER]
    result(
        {
            "replayed": len(found),
            "fates": {fate.value: fates[fate] for fate in Fate},
            "different": [
                {"id": str(one.id), "differences": list(one.differences)} for one in other
            ],
        },
        lambda: _show_replayed(fates, other),
    )
    if other:
        raise typer.Exit(NO)


def _show_replayed(fates: Counter[Fate], other: list[Replayed]) -> None:
    for one in other:
        line(f"{one.id}, {one.decided_at:%Y-%m-%d %H:%M}: {'; '.join(one.differences)}")
    line(f"{fates[Fate.SAME]} the same, {fates[Fate.OTHER]} different.")
    for fate, words in (
        (Fate.ERASED, "cannot be opened: somebody they speak of was erased"),
        (Fate.OLDER, "were recorded by an earlier release, which kept too little"),
        (Fate.NO_PACK, "were made under packs that are on no shelf"),
    ):
        if fates[fate]:
            line(f"{fates[fate]} {words}.")


async def _one(
    installation: Installation, decision_id: UUID, shelf: Shelf, packs: PackSet | None
) -> Replayed:
    async with installation.operator.reading() as session:
        row = await decisions.get(session, decision_id)
        if row is None:
            raise NotFoundError("No such decision.")
        return await replaying.again(session, row, shelf=shelf, packs=packs, keys=installation.keys)


async def _all(
    installation: Installation, shelf: Shelf, packs: PackSet | None, since: datetime | None
) -> list[Replayed]:
    found = []
    with Bar("Deciding again") as bar:
        async with installation.operator.reading() as session:
            total = await replaying.count(session, since=since)
            async for one in replaying.replay(
                session, shelf=shelf, packs=packs, since=since, keys=installation.keys
            ):
                found.append(one)
                bar.update(len(found), total)
    return found


def _shelf(data_dir: Path | None) -> Shelf:

    return Shelf.of(settings_of(data_dir).packs_dir)
