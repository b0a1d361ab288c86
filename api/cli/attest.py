"""`likeness attest`: what the operator answers for: identities, deaths, and who acts for whom."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from api.cli import identities, providers
from api.cli.output import AsJson, Failed, line, result
from api.cli.session import Acting, account, identifier, run_as
from api.cli.settings import DataDir
from registry import appointments, protections, succession
from registry.database import WriteSession, new_id
from registry.policy.vocabulary import GrantorRole, Kinship, SubjectClass
from registry.principals import MAX_IAL

app = typer.Typer(no_args_is_help=True)
app.command("identity")(identities.identity)
app.command("revoke")(identities.revoke)
app.add_typer(providers.app, name="provider", help="Identity providers that sign themselves.")

Subject = Annotated[str, typer.Argument(help="The id of the person, as `subject add` printed it.")]
Source = Annotated[str, typer.Option(help="The document that says so.")]
Write = Callable[[WriteSession, protections.Saying], Awaitable[object]]


@app.command("death")
def death(
    subject: Subject,
    *,
    source: Source,
    on: Annotated[
        datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day, if known.")
    ] = None,
    domicile: Annotated[str | None, typer.Option(help="Where they lived: DE, US-CA ...")] = None,
    relatives: Annotated[
        bool | None,
        typer.Option("--relatives/--no-relatives", help="Whether close relatives live."),
    ] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Put a death on record. It holds from the next check on, and suspends what the living granted.

    For example:

        likeness attest death $SUBJECT --on 2010-06-01 --domicile US-CA --source "Certificate"
    """

    async def write(session: WriteSession, saying: protections.Saying) -> object:
        died = await protections.record_death(
            session,
            saying,
            died_on=None if on is None else on.date(),
            domicile=domicile,
            relatives_living=relatives,
        )
        await succession.after_death(
            session, saying.subject_id, actor_id=saying.actor.principal_id, keys=saying.keys
        )
        return died

    _say(subject, source, write, data_dir, "The death")


@app.command("class")
def subject_class(
    subject: Subject,
    kind: Annotated[SubjectClass, typer.Argument(help="What the law sees in them.")],
    *,
    source: Source,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Say that somebody is a public figure, performer, historical figure, hero or martyr.

    For example:

        likeness attest class $SUBJECT HISTORICAL --source "Encyclopaedia, vol. 3"
    """

    async def write(session: WriteSession, saying: protections.Saying) -> object:
        return await protections.assert_class(session, saying, subject_class=kind)

    _say(subject, source, write, data_dir, f"The class {kind}")


@app.command("residence")
def residence(
    subject: Subject,
    territory: Annotated[str, typer.Argument(help="DE, US-CA ...")],
    *,
    source: Source,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Say where somebody lives: the law there protects them elsewhere too.

    For example:

        likeness attest residence $SUBJECT FR --source "Identity card"
    """

    async def write(session: WriteSession, saying: protections.Saying) -> object:
        return await protections.record_residence(session, saying, territory=territory)

    _say(subject, source, write, data_dir, f"The residence {territory}")


def _say(subject: str, source: str, write: Write, data_dir: Path | None, what: str) -> None:
    subject_id = identifier(subject, "subject")

    async def work(acting: Acting) -> UUID:
        keys = acting.installation.keys
        saying = protections.Saying(new_id(), subject_id, source, acting.actor, keys)
        async with acting.db.writing() as session:
            await write(session, saying)
        return saying.protection_id

    made = run_as(None, work, data_dir=data_dir)
    result({"id": str(made)}, lambda: line(f"{what} is on record as {made}."))


@app.command("representative")
def representative(
    subject: Subject,
    *,
    role: Annotated[GrantorRole, typer.Option(help="In what right they act.")],
    source: Source,
    person: Annotated[str | None, typer.Option(help="Their account.")] = None,
    name: Annotated[str | None, typer.Option(help="Their name, if they have no account.")] = None,
    kinship: Annotated[Kinship | None, typer.Option(help="By what title rights are held.")] = None,
    share: Annotated[float | None, typer.Option(help="Of the rights of the dead, 0 to 1.")] = None,
    ends: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="End of the mandate.")
    ] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Name a guardian, a holder of a dead person's rights or an agent, and answer for it.

    They then sign with `likeness grant sign GRANT --role ROLE --owner ACCOUNT`.

    For example:

        likeness attest representative $CHILD --role GUARDIAN --person mother --source "Record"
    """
    if (person is None) == (name is None):
        raise Failed("Give --person for an account, or --name for who has none.", code="INVALID")
    subject_id = identifier(subject, "subject")

    async def work(acting: Acting) -> UUID:
        principal = None if person is None else await account(acting.installation, person)
        made = new_id()
        async with acting.db.writing() as session:
            await appointments.appoint(
                session,
                representative_id=made,
                subject_id=subject_id,
                appointment=appointments.Appointment(
                    role=role,
                    source=source,
                    principal_id=None if principal is None else principal.id,
                    name=name,
                    kinship=kinship,
                    share=share,
                    ends_at=None if ends is None else ends.replace(tzinfo=UTC),
                ),
                actor=acting.actor,
                ial=MAX_IAL,
                keys=acting.installation.keys,
            )
        return made

    made = run_as(None, work, data_dir=data_dir)
    result({"id": str(made)}, lambda: line(f"Representative {made} may act as {role}."))
