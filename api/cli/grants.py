"""`likeness grant`: consents, proposed, signed and revoked; never edited."""

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NamedTuple
from uuid import UUID

import typer

from api.cli.output import AsJson, line, note, result, table
from api.cli.scopes import (
    Modalities,
    Purposes,
    Territories,
    Uses,
    as_document,
    as_words,
    scope_of,
)
from api.cli.session import Acting, Key, Owner, account, identifier, run_as
from api.cli.settings import DataDir
from registry import grants, idempotency, signing
from registry.database import WriteSession, now
from registry.errors import InvalidError
from registry.grant_terms import Notice, Terms
from registry.grants import Grant
from registry.installation import Installation
from registry.paging import MAX_PAGE
from registry.policy.shelf import load_packs
from registry.policy.vocabulary import (
    ASSURED_IAL,
    ContentFlag,
    GrantorRole,
    GrantState,
    ObligationCode,
)
from registry.principals import PrincipalKind

app = typer.Typer(no_args_is_help=True)

GrantId = Annotated[str, typer.Argument(metavar="GRANT", help="The grant's id.")]
_DAY = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


async def _waits(session: WriteSession, grant: Grant, law: signing.Law) -> list[str]:
    """What a grant that was signed still waits for, in words."""
    begins = (await grants.effective(session, [grant.id])).get(grant.id)
    if begins is not None and begins > await now(session):
        return [f"It takes effect on {begins:%Y-%m-%d at %H:%M} UTC; revoking it is free."]
    return [
        f"Still to be signed by {' or '.join(sorted(one.asked.any_of))}"
        f" for {', '.join(sorted(one.territories))}."
        for one in (await signing.hands_of(session, [grant], law))[grant.id].missing
    ]


def _law(installation: Installation) -> signing.Law:
    settings = installation.settings
    hours = timedelta(hours=settings.cooling_off_hours)
    return signing.Law(load_packs(settings.packs_dir), installation.keys, hours)


class _Seen(NamedTuple):
    grant: Grant
    state: GrantState


@app.command("propose")
def propose(
    *,
    subject: Annotated[str, typer.Option(help="Whose consent it is: a subject's id.")],
    modality: Modalities = None,
    use: Uses = None,
    purpose: Purposes = None,
    territory: Territories = None,
    service: Annotated[
        list[str] | None,
        typer.Option(help="The name of a service it is given to; may be repeated; left out: all."),
    ] = None,
    starts: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="From when, in UTC; left out: now.")
    ] = None,
    ends: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="Until when, in UTC; left out: no end.")
    ] = None,
    content: Annotated[
        list[ContentFlag] | None, typer.Option(help="Content it allows; left out: none of these.")
    ] = None,
    max_uses: Annotated[int | None, typer.Option(min=1, help="So many uses and no more.")] = None,
    obligation: Annotated[
        list[ObligationCode] | None, typer.Option(help="A duty that comes with it.")
    ] = None,
    written: Annotated[bool, typer.Option("--written", help="It was given in writing.")] = False,
    separate: Annotated[
        bool, typer.Option("--separate", help="It was given separately from other terms.")
    ] = False,
    represented: Annotated[
        bool, typer.Option("--represented", help="The person had a lawyer or a union.")
    ] = False,
    replaces_performance: Annotated[
        bool,
        typer.Option("--replaces-performance", help="It replaces work the person would have done."),
    ] = False,
    non_commercial: Annotated[
        bool, typer.Option("--non-commercial", help="It does not cover commercial use.")
    ] = False,
    exclusive: Annotated[
        bool, typer.Option("--exclusive", help="Nobody else is given the same.")
    ] = False,
    notice: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="VERSION LANGUAGE", help="Which text they were shown: 2026-11 en."),
    ] = None,
    acknowledges: Annotated[
        list[str] | None,
        typer.Option(help="An objection this is given in spite of; may be repeated."),
    ] = None,
    owner: Owner = None,
    key: Key = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Put a consent on record. It permits nothing until it is signed.

    The new id alone goes to standard output.

    For example:

        SUBJECT=0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10

        likeness grant propose --subject $SUBJECT --service studio --written --separate

        likeness grant propose --subject $SUBJECT --modality FACE --use GENERATE_IMAGE
    """
    subject_id = identifier(subject, "subject")
    scope = scope_of(modality, use, purpose, territory)
    acknowledged = frozenset(identifier(one, "objection") for one in acknowledges or ())

    async def work(acting: Acting) -> _Seen:
        terms = Terms(
            grantees=await _services(acting.installation, service),
            starts_at=_utc(starts),
            ends_at=_utc(ends),
            content_allowed=frozenset(content or ()),
            commercial=not non_commercial,
            max_uses=max_uses,
            written=written,
            separate=separate,
            represented=represented,
            replaces_performance=replaces_performance,
            obligations=frozenset(obligation or ()),
            acknowledges_objections=acknowledged,
            exclusive=exclusive,
            notice=None if notice is None else Notice(*notice),
        )
        async with acting.db.writing() as session:
            grant_id, new = await idempotency.claim(
                session,
                principal_id=acting.id,
                operation="proposeGrant",
                key=key,
                request={"subject": subject_id, **as_document(scope), **asdict(terms)},
                keys=acting.installation.keys,
            )
            if new:
                await grants.propose(
                    session,
                    grant_id=grant_id,
                    subject_id=subject_id,
                    proposed_by=acting.id,
                    scope=scope,
                    terms=terms,
                )
            return await _seen(session, await grants.mine(session, grant_id))

    seen = run_as(owner, work, data_dir=data_dir)
    note(f"Proposed. It permits nothing until: likeness grant sign {seen.grant.id}")
    result(_document(seen), lambda: line(str(seen.grant.id)))


@app.command("sign")
def sign(
    grant: GrantId,
    *,
    ial: Annotated[
        int,
        typer.Option(min=0, max=3, help="How well you identified the signer (NIST SP 800-63A)."),
    ] = ASSURED_IAL,
    role: Annotated[GrantorRole, typer.Option(help="In what right they sign.")] = GrantorRole.SELF,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Put a proposed consent into force. Below identity level 2 it is refused.

    For example:

        likeness grant sign 0199c2f4-9a3b-7c11-8d4e-2b1a0c9d8e7f --ial 2

        likeness grant sign 0199c2f4-9a3b-7c11-8d4e-2b1a0c9d8e7f --role GUARDIAN --owner mother
    """
    waits: list[str] = []

    async def signed(session: WriteSession, acting: Acting, grant_id: UUID) -> Grant:
        signed = await signing.sign(
            session,
            grant_id=grant_id,
            actor=acting.actor,
            role=role,
            ial=ial,
            law=_law(acting.installation),
        )
        waits.extend(await _waits(session, signed, _law(acting.installation)))
        return signed

    _change(grant, signed, owner=owner, data_dir=data_dir)
    for one in waits:
        note(one)


@app.command("revoke")
def revoke(
    grant: GrantId,
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """End a consent now: no check that starts afterwards is permitted by it.

    For example:

        likeness grant revoke 0199c2f4-9a3b-7c11-8d4e-2b1a0c9d8e7f --reason "contract ended"
    """

    async def revoked(session: WriteSession, acting: Acting, grant_id: UUID) -> Grant:
        return await grants.revoke(session, grant_id=grant_id, actor_id=acting.id, reason=reason)

    _change(grant, revoked, owner=owner, data_dir=data_dir)


@app.command("list")
def list_(
    *,
    subject: Annotated[str | None, typer.Option(help="Only this subject's.")] = None,
    state: Annotated[GrantState | None, typer.Option(help="Only those that stand so.")] = None,
    first: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="At most so many.")] = MAX_PAGE,
    after: Annotated[str | None, typer.Option(help="Only those after this id.")] = None,
    owner: Owner = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """List consents, oldest first.

    For example:

        likeness grant list --state ACTIVE
    """
    subject_id = None if subject is None else identifier(subject, "subject")
    start = None if after is None else identifier(after, "grant")

    async def work(acting: Acting) -> tuple[list[_Seen], bool]:
        async with acting.db.reading() as session:
            page = await grants.page(
                session, subject_id=subject_id, state=state, first=first, after=start
            )
            states = await grants.states(session, page.items)
        return [_Seen(one, states[one.id]) for one in page.items], page.more

    found, more = run_as(owner, work, data_dir=data_dir)
    result(
        {"grants": [_document(one) for one in found], "more": more},
        lambda: table(
            ["ID", "STATE", "SUBJECT", "MODALITIES", "USES", "PURPOSES", "TERRITORIES", "ENDS"],
            [_row(one) for one in found],
        ),
    )
    if more:
        note(f"There are more: --after {found[-1].grant.id}")


def _change(
    grant: str,
    change: Callable[[WriteSession, Acting, UUID], Coroutine[None, None, Grant]],
    *,
    owner: str | None,
    data_dir: Path | None,
) -> None:
    grant_id = identifier(grant, "grant")

    async def work(acting: Acting) -> _Seen:
        async with acting.db.writing() as session:
            return await _seen(session, await change(session, acting, grant_id))

    seen = run_as(owner, work, data_dir=data_dir)
    result(_document(seen), lambda: line(f"Grant {grant_id} is {seen.state}."))


async def _seen(session: WriteSession, grant: Grant) -> _Seen:
    return _Seen(grant, (await grants.states(session, [grant]))[grant.id])


async def _services(installation: Installation, names: list[str] | None) -> frozenset[UUID] | None:
    if not names:
        return None
    found = [await account(installation, name, PrincipalKind.SERVICE) for name in names]
    for one in found:
        if one.kind is not PrincipalKind.SERVICE:
            raise InvalidError(f"The account {one.handle} is a {one.kind}, not a SERVICE.")
    return frozenset(one.id for one in found)


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC)


def _row(seen: _Seen) -> list[str]:
    grant = seen.grant
    ends = "-" if grant.ends_at is None else f"{grant.ends_at:%Y-%m-%d}"
    return [str(grant.id), seen.state, str(grant.subject_id), *as_words(grant), ends]


def _document(seen: _Seen) -> dict[str, object]:
    grant = seen.grant
    return {
        "id": grant.id,
        "state": seen.state,
        "subjectId": grant.subject_id,
        **as_document(grant),
        "grantees": grant.grantees,
        "startsAt": grant.starts_at,
        "endsAt": grant.ends_at,
        "contentAllowed": grant.content_allowed,
        "commercial": grant.commercial,
        "maxUses": grant.max_uses,
        "written": grant.written,
        "separate": grant.separate,
        "obligations": grant.obligations,
        "createdAt": grant.created_at,
    }
