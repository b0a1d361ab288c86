"""Cases in the schema: what is known of an account that has a number and a PIN."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.auth import Caller
from api.case_entry import entered
from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.permissions import requires
from registry import cases, pins, throttles
from registry.cases import ContactKind
from registry.errors import ForbiddenError
from registry.principals import OPERATOR, Scope


@strawberry.type(description="How the registry's desk reaches somebody.")
class Contact:
    """How the registry's desk reaches somebody."""

    kind: ContactKind
    contact: str


@strawberry.type(description="An account that is known by its number and a PIN.")
class Case:
    """An account that is known by its number and a PIN."""

    opened_at: datetime

    @strawberry.field(description="The case number.")
    def number(self, info: Info) -> str:
        """The case number: its account's name."""
        return info.context.caller.handle

    @strawberry.field(
        extensions=[requires(Scope.SUBJECTS_READ, Scope.SUBJECTS_WRITE)],
        description="How the registry's desk reaches you.",
    )
    @staticmethod
    async def contacts(case: strawberry.Parent[cases.Case], info: Info) -> list[Contact]:
        """How the registry's desk reaches you."""
        async with info.context.db.reading() as session:
            found = await cases.contacts(session, case.principal_id, keys=info.context.state.keys)
        return [Contact(kind=kind, contact=said) for kind, said in sorted(found.items())]


async def case_of(caller: Caller, info: Info) -> cases.Case | None:
    """The caller's case, if the account is one."""
    async with info.context.db.reading() as session:
        return await cases.of_account(session, caller.actor.principal_id)


@strawberry.input(description="Another PIN for your case.")
class ChangePinInput:
    """Another PIN for your case."""

    current_pin: str
    new_pin: str = strawberry.field(description="8 to 64 characters that are not easily guessed.")


@strawberry.input(description="How the registry's desk may reach you.")
class AddContactInput:
    """How the registry's desk may reach you."""

    kind: ContactKind
    contact: str = strawberry.field(description="It takes the place of a former one of its kind.")


@strawberry.type(description="The new PIN counts from now on.")
class PinChanged:
    """The new PIN counts from now on."""

    case: cases.Case = strawberry.field(graphql_type=Case)


@strawberry.type(description="The desk may reach you so from now on.")
class ContactAdded:
    """The desk may reach you so from now on."""

    case: cases.Case = strawberry.field(graphql_type=Case)


ChangePinResult = Annotated[PinChanged | Problem, strawberry.union("ChangePinResult")]
AddContactResult = Annotated[ContactAdded | Problem, strawberry.union("AddContactResult")]


@strawberry.type
class CaseMutation:
    """Mutation fields about the caller's case."""

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Let another PIN count. Your other tokens end with it.",
    )
    async def change_pin(self, info: Info, input: ChangePinInput) -> ChangePinResult:
        """Let another PIN count."""
        caller, state = info.context.caller, info.context.state
        kept = await pins.hashed(pins.checked_pin(input.new_pin))
        shown = await entered(state, number=caller.handle, pin=input.current_pin.strip())
        if shown is None or shown.principal_id != caller.actor.principal_id:
            raise ForbiddenError("The current PIN is another one, or it was tried too often.")
        async with state.db.acting_for(OPERATOR).writing() as session:
            throttles.succeeded(session, number=shown.digest)
            case = await cases.change_pin(
                session,
                principal_id=shown.principal_id,
                pin_hash=kept,
                keep=caller.actor.credential_id,
            )
        return PinChanged(case=case)

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Say how the registry's desk may reach you. It is removed with your record.",
    )
    async def add_contact(self, info: Info, input: AddContactInput) -> AddContactResult:
        """Say how the registry's desk may reach you."""
        async with info.context.db.writing() as session:
            case = await cases.add_contact(
                session,
                principal_id=info.context.caller.actor.principal_id,
                kind=input.kind,
                contact=input.contact,
                keys=info.context.state.keys,
            )
        return ContactAdded(case=case)
