"""`likeness review`: what waits for a person, listed, read, taken and decided."""

from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple
from uuid import UUID

import typer

from api.cli import misuse
from api.cli.output import AsJson, line, note, pairs, result, table
from api.cli.session import Acting, Owner, identifier, run_as
from api.cli.settings import DataDir
from registry import desk, dockets, recoveries, review_papers, reviews
from registry.cases import ContactKind
from registry.database import WriteSession
from registry.paging import MAX_PAGE
from registry.review_papers import Papers
from registry.reviews import Review, ReviewEvent, ReviewKind, ReviewState, Ruling, Standing

app = typer.Typer(no_args_is_help=True)

ReviewId = Annotated[str, typer.Argument(metavar="REVIEW", help="The review's id.")]


class _Seen(NamedTuple):
    review: Review
    standing: Standing
    overdue: bool
    recovery_code: str | None = None


class _Whole(NamedTuple):
    seen: _Seen
    events: list[ReviewEvent]
    papers: Papers | None
    contacts: dict[ContactKind, str]


@app.command("list")
def list_(
    *,
    kind: Annotated[ReviewKind | None, typer.Option(help="Only this kind.")] = None,
    state: Annotated[ReviewState | None, typer.Option(help="Only these.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only those you have taken.")] = False,
    first: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="At most so many.")] = MAX_PAGE,
    after: Annotated[str | None, typer.Option(help="Only those after this id.")] = None,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """List what is before the desk, oldest first.

    For example:

        likeness review list --state OPEN

        likeness review list --kind GREY_MATCH --owner rita
    """
    start = None if after is None else identifier(after, "review")

    async def work(acting: Acting) -> tuple[list[_Seen], bool]:
        desk.require_desk(acting.actor)
        async with acting.db.reading() as session:
            page = await dockets.page(
                session,
                kind=kind,
                state=state,
                assignee=acting.id if mine else None,
                first=first,
                after=start,
            )
            ids = [one.id for one in page.items]
            standings = await reviews.standings(session, ids)
            overdue = await dockets.overdue(session, ids)
        return [_Seen(one, standings[one.id], overdue[one.id]) for one in page.items], page.more

    found, more = run_as(owner, work, data_dir=data_dir)
    result({"reviews": [_document(one) for one in found], "more": more}, lambda: _table(found))
    if more:
        note(f"There are more: --after {found[-1].review.id}")


@app.command("show")
def show(
    review: ReviewId, *, owner: Owner = None, data_dir: DataDir = None, _json: AsJson = False
) -> None:
    """Show a review with all that became of it, and its papers if you have taken it.

    For example:

        likeness review show 0199c2f5-1b2c-7d3e-8f4a-5b6c7d8e9f0a
    """
    wanted = identifier(review, "review")

    async def work(acting: Acting) -> _Whole:
        desk.require_desk(acting.actor)
        async with acting.db.reading() as session:
            found = await reviews.mine(session, wanted)
            standing = await reviews.standing(session, wanted)
            history = await reviews.events(session, [wanted])
            overdue = await dockets.overdue(session, [wanted])
            papers, contacts = None, dict[ContactKind, str]()
            if desk.reads_papers(standing, acting.id):
                keys = acting.installation.keys
                papers = await review_papers.opened(session, found, keys=keys)
                contacts = (await recoveries.contacts(session, [wanted], keys=keys))[wanted]
        return _Whole(_Seen(found, standing, overdue[wanted]), history[wanted], papers, contacts)

    whole = run_as(owner, work, data_dir=data_dir)
    result(_whole_document(whole), lambda: _show(whole))


@app.command("take")
def take(
    review: ReviewId, *, owner: Owner = None, data_dir: DataDir = None, _json: AsJson = False
) -> None:
    """Take a review that nobody has. Whom it is about will see that you read of them.

    For example:

        likeness review take 0199c2f5-1b2c-7d3e-8f4a-5b6c7d8e9f0a --owner rita
    """

    async def act(session: WriteSession, acting: Acting, wanted: UUID) -> Review:
        return await desk.take(session, review_id=wanted, actor=acting.actor)

    _act(act, review, owner, data_dir)


@app.command("release")
def release(
    review: ReviewId, *, owner: Owner = None, data_dir: DataDir = None, _json: AsJson = False
) -> None:
    """Give a review back; as the operator, also one that another reviewer has.

    For example:

        likeness review release 0199c2f5-1b2c-7d3e-8f4a-5b6c7d8e9f0a
    """

    async def act(session: WriteSession, acting: Acting, wanted: UUID) -> Review:
        return await desk.release(session, review_id=wanted, actor=acting.actor)

    _act(act, review, owner, data_dir)


@app.command("decide")
def decide(
    review: ReviewId,
    ruling: Annotated[Ruling, typer.Argument(help="What you find.")],
    *,
    subject: Annotated[
        str | None, typer.Option(help="Whom alone it is about, where there are several.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Rule on a review that you have taken. Where two must agree, the first only proposes.

    RENEW shows the code for a new PIN, this once: pass it on by the contact on record.

    For example:

        likeness review decide 0199c2f5-1b2c-7d3e-8f4a-5b6c7d8e9f0a RELEASE --reason "a new beard"

        likeness review decide 0199c2f5-1b2c-7d3e-8f4a-5b6c7d8e9f0a COEXISTING --reason "twins"
    """
    subject_id = None if subject is None else identifier(subject, "subject")

    async def act(session: WriteSession, acting: Acting, wanted: UUID) -> Review:
        return await desk.decide(
            session,
            review_id=wanted,
            ruling=ruling,
            subject_id=subject_id,
            reason=reason,
            actor=acting.actor,
            keys=acting.installation.keys,
        )

    _act(act, review, owner, data_dir)


def _act(
    act: Callable[[WriteSession, Acting, UUID], Awaitable[Review]],
    review: str,
    owner: str | None,
    data_dir: DataDir,
) -> None:
    wanted = identifier(review, "review")

    async def work(acting: Acting) -> _Seen:
        # As the registry itself: a ruling reaches everybody's rows. `desk` checks who may.
        async with acting.installation.operator.writing() as session:
            found = await act(session, acting, wanted)
            standing = await reviews.standing(session, wanted)
            overdue = await dockets.overdue(session, [wanted])
            code = await recoveries.issue(session, found, actor=acting.actor)
        return _Seen(found, standing, overdue[wanted], code)

    seen = run_as(owner, work, data_dir=data_dir)
    code = {} if seen.recovery_code is None else {"recoveryCode": seen.recovery_code}
    result(_document(seen) | code, lambda: _done(seen))


def _done(seen: _Seen) -> None:
    line(f"Review {seen.review.id} is {seen.standing.state}.")
    if seen.recovery_code is not None:
        line(f"Code for a new PIN, valid for 72 hours, shown this once: {seen.recovery_code}")


def _table(found: list[_Seen]) -> None:
    table(
        ["ID", "KIND", "STATE", "DUE", "", "ABOUT WHOM"],
        [
            (
                str(one.review.id),
                one.review.kind,
                one.standing.state,
                f"{one.review.due_at:%Y-%m-%d %H:%M}",
                "overdue" if one.overdue else "",
                " ".join(map(str, one.review.subject_ids)),
            )
            for one in found
        ],
    )


def _show(whole: _Whole) -> None:
    review, standing = whole.seen.review, whole.seen.standing
    due = f"{review.due_at:%Y-%m-%d %H:%M}" + (", overdue" if whole.seen.overdue else "")
    rows = [
        ("Review", str(review.id)),
        ("Kind", review.kind),
        ("State", standing.state),
        ("Due", due),
        ("About", "-" if review.about is None else str(review.about)),
        *(("Subject", str(one)) for one in review.subject_ids),
    ]
    papers = whole.papers or Papers()
    rows += [("Service", papers.service_id)] if papers.service_id else []
    rows += [("Case", papers.case_number)] if papers.case_number else []
    rows += [(kind.capitalize(), said) for kind, said in sorted(whole.contacts.items())]
    rows += [("Probe", probe) for probe, _ in papers.seen]
    pairs(rows + misuse.rows(papers.misuse))
    if papers.statement:
        line(f"\n{papers.statement}")
    for event in whole.events:
        words = [event.kind, event.ruling or "", event.reason or ""]
        line(f"{event.at:%Y-%m-%d %H:%M}  {' '.join(one for one in words if one)}")
    if whole.papers is None and standing.waits:
        note(f"What there is to read you see once it is yours: likeness review take {review.id}")


def _document(seen: _Seen) -> dict[str, object]:
    review, standing = seen.review, seen.standing
    return {
        "id": review.id,
        "kind": review.kind,
        "state": standing.state,
        "subjectIds": review.subject_ids,
        "about": review.about,
        "assignee": standing.assignee,
        "ruling": standing.ruling,
        "dueAt": review.due_at,
        "overdue": seen.overdue,
        "createdAt": review.created_at,
    }


def _whole_document(whole: _Whole) -> dict[str, object]:
    papers = whole.papers
    return {
        **_document(whole.seen),
        "events": [
            {
                "kind": one.kind,
                "ruling": one.ruling,
                "actorId": one.actor_id,
                "at": one.at,
                "reason": one.reason,
            }
            for one in whole.events
        ],
        "papers": None
        if papers is None
        else {
            "statement": papers.statement,
            "caseNumber": papers.case_number,
            "serviceId": papers.service_id,
            "decisionId": papers.decision_id,
            "probes": [probe for probe, _ in papers.seen],
            "misuse": misuse.document(papers.misuse),
        },
        "contacts": {str(kind): said for kind, said in whole.contacts.items()},
    }
