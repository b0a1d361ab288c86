"""What is handed in at once is on record at once: a person, their no, and what they report."""

from api.state import State
from registry import complaints, intake, pins, reviews
from registry.complaint_states import ComplaintState
from registry.database import Database
from registry.intake import Handed, Report
from registry.misuse import ComplaintKind, Misuse
from registry.reviews import ReviewKind
from registry.scopes import Scope


async def test_a_report_that_opens_a_case_is_before_the_desk(
    operator: Database, state: State
) -> None:
    misuse = Misuse((ComplaintKind.FRAUD,), "DE", "Somebody calls with my voice.")
    async with operator.writing() as session:
        taken = await intake.take(
            session,
            Handed(Scope(), None, name="Somebody Reporting", report=Report(misuse)),
            key="a report that opens a case",
            pin_hash=await pins.hashed(pins.new_pin()),
            judge=state.checker.judge,
            daily=state.settings.unverified_samples,
            keys=state.keys,
        )
    async with operator.reading() as session:
        page = await complaints.page(session, subject_id=taken.subject_id, first=2, after=None)
        [complaint] = page.items
        states = await complaints.states(session, [complaint.id])
        review = await reviews.mine(session, complaint.id)
    assert complaint.filed_by == taken.principal_id
    assert states[complaint.id] is ComplaintState.RECEIVED
    assert (review.kind, list(review.subject_ids)) == (ReviewKind.MISUSE, [taken.subject_id])
