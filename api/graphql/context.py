"""What every resolver is given: the database as the caller sees it, and one request's loaders."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

import api.graphql.vocabulary  # noqa: F401  # registers the enums before any type uses them
from api.auth import Caller
from api.questions import MAX_PROBES, MAX_QUESTIONS, Asked, probes_of, require_vectors
from api.state import State
from registry import (
    accesses,
    assets,
    attestations,
    complaints,
    consent_events,
    consent_requests,
    dockets,
    filings,
    grants,
    objections,
    orders,
    protections,
    recoveries,
    representatives,
    request_messages,
    request_receipts,
    resemblance,
    review_evidence,
    review_papers,
    reviews,
    samples,
    signing,
    subjects,
    webhooks,
)
from registry.accesses import AccessKind
from registry.cases import ContactKind
from registry.consent_receipts import ConsentReceipt, Issuer
from registry.database import Database, ReadSession
from registry.errors import InvalidError
from registry.misuse import Misuse
from registry.policy.hands import Hands
from registry.policy.vocabulary import Band
from registry.principals import OPERATOR, PrincipalKind

V = TypeVar("V")


class Context:
    """Built once per HTTP request."""

    def __init__(self, state: State, caller: Caller) -> None:
        self.state = state
        self.caller = caller
        self._questions = self._probes = 0
        self.db = state.db.acting_for(caller.actor)
        # The registry itself, once the caller's right to what it is asked to do was checked.
        self.office = state.db.acting_for(
            replace(OPERATOR, credential_id=caller.actor.credential_id)
        )
        self.subjects = DataLoader[UUID, subjects.Record | None](load_fn=self._read_subjects)
        self.grant_states = loader(self.db, grants.states_by_ids)
        self.subjects_of_asset = loader(self.db, assets.subjects_of)
        self.grants_effective = loader(self.db, grants.effective)
        self.hands = loader(self.db, self._hands)
        self.objection_states = loader(self.db, objections.states)
        self.complaint_states = loader(self.db, complaints.states)
        self.misuses = loader(self.db, self._misuses)
        self.samples_of = loader(self.db, samples.by_subject)
        self.sample_states = loader(self.db, samples.states)
        self.protections_of = loader(self.db, self._protections)
        self.representatives_of = loader(self.db, self._representatives)
        self.orders_lifted = loader(self.db, orders.lifted)
        self.filings_of = loader(self.db, filings.by_service)
        self.attestations_holding = loader(self.db, attestations.holding)
        self._levels = loader(self.db, attestations.levels)
        self.review_standings = loader(self.db, reviews.standings)
        self.review_events = loader(self.db, reviews.events)
        self.reviews_overdue = loader(self.db, dockets.overdue)
        self.review_papers = loader(self.db, self._review_papers)
        self.review_evidence = loader(self.db, self._review_evidence)
        self.review_contacts = loader(self.db, self._review_contacts)
        self.filing_standings = loader(self.db, filings.standings)
        self.owner_of = loader(self.db, subjects.owners)
        everything = state.db.acting_for(OPERATOR)  # their resolvers ask who may have them
        self.resemblances = loader(everything, self._resemblances)
        self.receipts_of_grant = loader(everything, self._grant_receipts)
        self.receipts_of_objection = loader(everything, self._objection_receipts)
        self.receipts_of_request = loader(self.db, self._request_receipts)
        self.grants = loader(self.db, grants.by_ids)
        self.consent_requests = loader(self.db, consent_requests.standings)
        self.request_messages = loader(self.db, self._request_messages)
        self.webhooks_ended = loader(self.db, webhooks.ended)

    async def ial(self) -> int:
        """How well the caller is known now: by the token or by attestation (NIST SP 800-63A).

        Read once a request, so ask before a transaction begins.
        """
        attested = await self._levels.load(self.caller.actor.principal_id)
        return max(self.caller.ial, attested or 0)

    @property
    def law(self) -> signing.Law:
        """What signing needs beside the database."""
        return signing.Law(
            self.state.checker.packs,
            self.state.keys,
            timedelta(hours=self.state.settings.cooling_off_hours),
        )

    async def _hands(self, session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Hands]:
        found = await grants.by_ids(session, ids)
        return await signing.hands_of(session, found.values(), self.law)

    def spend(self, asked: Sequence[Asked]) -> None:
        """Count checks against what one request may ask, under however many aliases."""
        self._questions += len(asked)
        self._probes += probes_of(asked)
        if self._questions > MAX_QUESTIONS:
            raise InvalidError(f"Send at most {MAX_QUESTIONS} checks at once.", field="inputs")
        if self._probes > MAX_PROBES:
            raise InvalidError(f"Send at most {MAX_PROBES} probes at once.", field="inputs")
        require_vectors(asked, self.caller.scopes)

    async def _read_subjects(self, ids: list[UUID]) -> list[subjects.Record | None]:
        async with self.db.reading() as session:
            found = await subjects.records(session, ids, keys=self.state.keys)
        await self.noted(found.values())
        return [found.get(one) for one in ids]

    async def noted(self, records: Iterable[subjects.Record]) -> None:
        """Put on record that an office reads of these people; refused if it cannot be."""
        actor = self.caller.actor
        of_others = {one.id for one in records if one.owner_id != actor.principal_id}
        if actor.kind in accesses.READERS and of_others:
            async with self.db.writing() as session:
                await accesses.note(session, of_others, actor.principal_id, AccessKind.RECORD)

    async def _review_papers(
        self, session: ReadSession, ids: Collection[UUID]
    ) -> dict[UUID, review_papers.Papers]:
        return await review_papers.by_ids(session, ids, keys=self.state.keys)

    async def _misuses(self, session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Misuse]:
        found = await complaints.contents(session, ids, keys=self.state.keys)
        return {one: content.misuse for one, content in found.items()}

    async def _resemblances(self, session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Band]:
        return await resemblance.by_complaint(
            session, ids, encoders=self.state.checker.encoders, keys=self.state.keys
        )

    async def _review_evidence(
        self, session: ReadSession, ids: Collection[UUID]
    ) -> dict[UUID, list[review_evidence.Statement]]:
        return await review_evidence.by_review(session, ids, keys=self.state.keys)

    async def _review_contacts(
        self, session: ReadSession, ids: Collection[UUID]
    ) -> dict[UUID, dict[ContactKind, str]]:
        return await recoveries.contacts(session, ids, keys=self.state.keys)

    async def _protections(
        self, session: ReadSession, ids: Collection[UUID]
    ) -> dict[UUID, list[protections.Record]]:
        return await protections.by_subject(session, ids, keys=self.state.keys)

    async def _representatives(
        self, session: ReadSession, ids: Collection[UUID]
    ) -> dict[UUID, list[representatives.Record]]:
        return await representatives.by_subject(session, ids, keys=self.state.keys)

    async def _grant_receipts(
        self, session: ReadSession, ids: Collection[UUID]
    ) -> dict[UUID, list[ConsentReceipt]]:
        actor = self.caller.actor
        reader = actor.principal_id if actor.kind == PrincipalKind.SERVICE else None
        return await consent_events.of_grants(session, ids, reader=reader, issuer=self._issuer())

    async def _objection_receipts(
        self, session: ReadSession, ids: Collection[UUID]
    ) -> dict[UUID, list[ConsentReceipt]]:
        return await consent_events.of_objections(session, ids, issuer=self._issuer())

    async def _request_receipts(
        self, session: ReadSession, ids: Collection[UUID]
    ) -> dict[UUID, list[ConsentReceipt]]:
        return await request_receipts.of_requests(session, ids, issuer=self._issuer())

    async def _request_messages(
        self, session: ReadSession, ids: Collection[UUID]
    ) -> dict[UUID, str]:
        return await request_messages.by_request(session, ids, keys=self.state.keys)

    def _issuer(self) -> Issuer:
        settings = self.state.settings
        return Issuer(settings.issuer, settings.storage_location, self.state.keys)


Info = strawberry.Info[Context, None]


def loader(
    db: Database, fetch: Callable[[ReadSession, Collection[UUID]], Awaitable[dict[UUID, V]]]
) -> DataLoader[UUID, V | None]:
    """Batch one of the registry's by-many-ids queries; a key with no row gives None.

    Sibling fields resolve concurrently and a session belongs to one task, so each batch
    opens its own.
    """

    async def load(keys: list[UUID]) -> list[V | BaseException | None]:
        async with db.reading() as session:
            found = await fetch(session, keys)
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=load)
