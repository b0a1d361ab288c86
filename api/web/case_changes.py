"""What somebody does in their case: add, withdraw, change the PIN or the contact, leave."""

import secrets
from contextlib import suppress
from typing import Final
from uuid import UUID

from starlette.responses import Response

from api.case_entry import entered
from api.web import forms, my_case, person_form, showing
from api.web.languages import N_
from api.web.my_case import Known
from api.web.visits import Visit
from registry import (
    cases,
    enrolment,
    erasure,
    idempotency,
    intake,
    objections,
    pins,
    samples,
    subjects,
    throttles,
)
from registry.database import Database
from registry.errors import ConflictError, InvalidError, NotFoundError
from registry.policy.vocabulary import ObjectionState
from registry.principals import OPERATOR

NOTHING: Final = N_("Choose a photo or a recording first.")
UNUSABLE: Final = N_("None of these could be used:")
OTHER_PIN: Final = N_("The current PIN is another one, or it was tried too often.")
GONE: Final = N_("No such objection.")


def _db(visit: Visit) -> Database:
    return visit.state.db.acting_for(visit.require_caller().actor)


def _id(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError as error:
        raise NotFoundError(GONE) from error


async def add_evidence(visit: Visit) -> Response:
    """`POST /case/evidence`: more photos and recordings of the person."""
    caller = visit.require_caller()
    async with forms.sent(visit) as form:
        subject_id = _subject(form.text("subject"))
        read = await showing.read(visit.state, form)
    if not read.shown:
        said = [visit.say(NOTHING if not read.troubles else UNUSABLE)]
        said += [f"{one.file}: {visit.say(one.message)}" for one in read.troubles]
        return await my_case.shown(visit, wrong=" ".join(said))
    async with _db(visit).writing() as session:
        await subjects.mine(session, subject_id)
        await intake.add(
            session,
            read.shown,
            subject_id=subject_id,
            owner_id=caller.actor.principal_id,
            judge=visit.state.checker.judge,
            daily=visit.state.settings.unverified_samples,
            keys=visit.state.keys,
        )
    return visit.go("/case?done=added")


def _subject(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFoundError("No such subject.", field="subject") from error


async def retire(visit: Visit) -> Response:
    """`POST /case/samples/{id}/remove`: a photo or recording that shall not count."""
    caller = visit.require_caller()
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES):
        pass
    with suppress(ConflictError):  # sent twice: it was removed
        async with _db(visit).writing() as session:
            await enrolment.retire(
                session,
                sample_id=_id(visit),
                actor_id=caller.actor.principal_id,
                keys=visit.state.keys,
            )
    return visit.go("/case?done=removed")


async def contact(visit: Visit) -> Response:
    """`POST /case/contact`: how the desk reaches them from now on; empty, not at all."""
    caller = visit.require_caller()
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES) as form:
        try:
            given = person_form.contact_of(form) if form.text("contact") else None
            async with _db(visit).writing() as session:
                # The page shows one: what is saved there takes the place of every other.
                await cases.forget_contacts(session, caller.actor.principal_id)
                if given is not None:
                    await cases.add_contact(
                        session,
                        principal_id=caller.actor.principal_id,
                        kind=given.kind,
                        contact=given.address,
                        keys=visit.state.keys,
                    )
        except InvalidError as error:
            return await my_case.shown(visit, wrong=str(error), contact=form.text("contact"))
    return visit.go("/case?done=contact" if given else "/case?done=unreachable")


async def change_pin(visit: Visit) -> Response:
    """`POST /case/pin`: another PIN, by whoever knows this one."""
    caller, state = visit.require_caller(), visit.state
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES) as form:
        former, new = form.text("current_pin"), form.text("new_pin")
    try:
        kept = await pins.hashed(pins.checked_pin(new))
    except InvalidError as error:
        return await my_case.shown(visit, wrong=str(error))
    shown = await entered(state, number=caller.handle, pin=former)
    if shown is None or shown.principal_id != caller.actor.principal_id:
        return await my_case.shown(visit, wrong=OTHER_PIN)
    async with state.db.acting_for(OPERATOR).writing() as session:
        throttles.succeeded(session, number=shown.digest)
        await cases.change_pin(
            session,
            principal_id=shown.principal_id,
            pin_hash=kept,
            keep=caller.actor.credential_id,
        )
    visit.runtime.authenticator.forget(shown.principal_id)
    return visit.go("/case?done=pin")


async def ask_withdrawal(visit: Visit) -> Response:
    """`GET /case/objections/{id}/withdraw`: are you sure?"""
    visit.require_caller()
    async with _db(visit).reading() as session:
        objection = await objections.mine(session, _id(visit))
        state = (await objections.states(session, [objection.id]))[objection.id]
    return visit.render(
        "case/withdraw.html", objection=objection, proved=state is not ObjectionState.PROVISIONAL
    )


async def withdraw(visit: Visit) -> Response:
    """`POST /case/objections/{id}/withdraw`."""
    caller = visit.require_caller()
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES):
        pass
    with suppress(ConflictError):  # sent twice: it has ended
        async with _db(visit).writing() as session:
            await objections.withdraw(
                session,
                objection_id=_id(visit),
                actor_id=caller.actor.principal_id,
                ial=caller.ial,
            )
    return visit.go("/case?done=withdrawn")


async def ask_leaving(visit: Visit) -> Response:
    """`GET /case/people/{id}/leave`: forget me, or keep blocking for me."""
    visit.require_caller()
    return _leaving(visit, await _person(visit), secrets.token_hex(16))


def _leaving(visit: Visit, person: Known, once: str, *, wrong: bool = False) -> Response:
    status = 422 if wrong else 200
    return visit.render("case/leave.html", status=status, person=person, once=once, wrong=wrong)


async def leave(visit: Visit) -> Response:
    """`POST /case/people/{id}/leave`: the person's key is destroyed. It cannot be undone."""
    caller, subject_id = visit.require_caller(), _id(visit)
    async with forms.sent(visit, most_bytes=forms.FIELD_BYTES) as form:
        how, sure, once = form.text("how"), form.ticked("sure"), form.text("once")
    if how not in {"FORGET", "KEEP_BLOCKING"} or not sure:
        return _leaving(visit, await _person(visit), once, wrong=True)
    async with _db(visit).writing() as session:
        erasure_id, new = await idempotency.claim(
            session,
            principal_id=caller.actor.principal_id,
            operation="leave",
            key=once or None,
            request={"subject": subject_id, "how": how},
            keys=visit.state.keys,
        )
        if new:
            await erasure.erase(
                session,
                erasure_id=erasure_id,
                subject_id=subject_id,
                actor_id=caller.actor.principal_id,
                keep_blocking=how == "KEEP_BLOCKING",
                keys=visit.state.keys,
            )
    return visit.render("case/left.html", blocking=how == "KEEP_BLOCKING")


async def _person(visit: Visit) -> Known:
    subject_id = _id(visit)
    async with _db(visit).reading() as session:
        records = await subjects.records(session, [subject_id], keys=visit.state.keys)
        if subject_id not in records:
            raise NotFoundError("No such subject.")
        enrolled = await samples.by_subject(session, [subject_id])
        return await my_case.known(session, records[subject_id], enrolled[subject_id])
