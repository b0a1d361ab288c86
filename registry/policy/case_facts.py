"""A case file's entries as facts: scores become bands, lists scopes, dates moments."""

from collections.abc import Iterator

from registry.errors import InvalidError
from registry.policy.case_file import (
    CaseFile,
    DistanceEntry,
    GrantEntry,
    HolderEntry,
    Listed,
    ObjectionEntry,
    OrderEntry,
    PersonEntry,
    RequestEntry,
    ScoreEntry,
    Threshold,
    moment,
    scope,
)
from registry.policy.facts import (
    Candidate,
    Circumstance,
    Facts,
    Grant,
    Holder,
    Objection,
    Order,
    Person,
    Request,
    Service,
    Sighting,
    Subject,
)
from registry.policy.vocabulary import Band, Modality, ObligationCode


def facts_of(file: CaseFile, request: RequestEntry, place: str) -> Facts:
    """The facts of one request. Raises InvalidError at `place` where a threshold is missing."""
    fixtures = file.fixtures
    entry = fixtures.services[request.service]
    return Facts(
        at=moment(request.at or fixtures.now),
        request=_request(request),
        service=Service(
            id=request.service,
            active=entry.state == "ACTIVE",
            tier=entry.tier,
            filings=frozenset(entry.filings),
            establishment=entry.establishment,
        ),
        persons=tuple(_person(file, one, request.matcher, place) for one in request.persons),
        subjects=tuple(_subject(file, one) for one in fixtures.subjects),
        circumstances=tuple(
            Circumstance(one.name, one.territory, one.holds) for one in fixtures.circumstances
        ),
    )


def _request(entry: RequestEntry) -> Request:
    supported = entry.supported if entry.supported is not None else frozenset(ObligationCode)
    return Request(
        use=entry.use,
        purpose=entry.purpose,
        modalities=entry.modalities,
        territories=entry.territories,
        content=entry.content,
        commercial=entry.commercial,
        claimed_exception=entry.claimed_exception,
        supported_obligations=supported,
        include_draft_law=entry.include_draft_law,
    )


def distances(person: PersonEntry) -> tuple[DistanceEntry, ...]:
    """The registered pictures a person's picture is near to."""
    if person.asset is None:
        return ()
    return person.asset if isinstance(person.asset, tuple) else (person.asset,)


def _person(file: CaseFile, entry: PersonEntry, matcher: str, place: str) -> Person:
    thresholds = file.fixtures.thresholds
    sightings = []
    for modality in sorted({*entry.probe, *entry.quality}):
        threshold = thresholds.get(modality.value)  # type: ignore[call-overload]  # NAME has none
        if threshold is None:
            raise InvalidError(f"{place}: there is no threshold for {modality}.")
        scores = entry.probe.get(modality, ())
        sightings.append(
            Sighting(
                modality,
                tuple(Candidate(one.subject, _band(one.score, threshold)) for one in scores),
                usable=entry.quality.get(modality) != "LOW",
                searched=matcher == "UP",
                clear_runner_up=_clear(scores, threshold),
            )
        )
    if entry.asset is not None:
        if "ASSET" not in thresholds:
            raise InvalidError(f"{place}: there is no threshold for ASSET.")
        near = tuple(
            Candidate(one.subject, _asset_band(one.distance, thresholds["ASSET"]))
            for one in distances(entry)
        )
        sightings.append(Sighting(Modality.FACE, near, asset=True, searched=matcher == "UP"))
    index = file.fixtures.name_index
    hit = entry.name if entry.name in index else None
    if hit is not None and isinstance(index, dict):
        hit = index[hit]
    return Person(
        sightings=tuple(sightings),
        claimed_subject=entry.claimed,
        name_given=entry.name is not None,
        name_hit=hit,
        target=entry.target,
    )


def _band(score: float, threshold: Threshold) -> Band:
    strong = threshold.strong if threshold.strong is not None else threshold.high
    if score < threshold.low:
        return Band.NONE
    if score < threshold.high:
        return Band.GREY
    return Band.STRONG if score >= strong else Band.MATCH


def _asset_band(distance_bits: int, threshold: Threshold) -> Band:
    if distance_bits <= threshold.high:
        return Band.MATCH
    return Band.GREY if distance_bits <= threshold.low else Band.NONE


def _clear(scores: tuple[ScoreEntry, ...], threshold: Threshold) -> bool:
    """Whether the best subject is a margin ahead of every other."""
    ranked = sorted(scores, key=lambda one: -one.score)
    others = [one.score for one in ranked if one.subject != ranked[0].subject]
    return not others or ranked[0].score - max(others) >= threshold.margin


def _subject(file: CaseFile, subject_id: str) -> Subject:
    fixtures = file.fixtures
    entry = fixtures.subjects[subject_id]
    return Subject(
        id=subject_id,
        registration=entry.registration,
        classes=entry.classes,
        born=entry.born,
        died=entry.died,
        death_assured=entry.death_assured,
        relatives_living=entry.relatives_living,
        holders=frozenset(_holders(entry.holders)),
        domicile_at_death=entry.domicile_at_death,
        residence=entry.residence,
        grants=tuple(_grant(one) for one in fixtures.grants if one.subject == subject_id),
        objections=tuple(
            _objection(one) for one in fixtures.objections if one.subject == subject_id
        ),
        orders=tuple(_order(one) for one in fixtures.orders if one.subject == subject_id),
    )


def _holders(entries: Listed | dict[str, HolderEntry]) -> Iterator[Holder]:
    if isinstance(entries, dict):
        for one, known in entries.items():
            yield Holder(one, known.kinship, known.share)
    else:
        yield from map(Holder, entries)


def _grant(entry: GrantEntry) -> Grant:
    return Grant(
        id=entry.id,
        grantees=scope(entry.grantee),
        state=entry.state,
        starts_at=moment(entry.begins),
        ends_at=moment(entry.until) if entry.until is not None else None,
        revoked_at=moment(entry.revoked_at) if entry.revoked_at is not None else None,
        modalities=scope(entry.modalities),
        uses=scope(entry.uses),
        purposes=scope(entry.purposes),
        territories=scope(entry.territories),
        content_allowed=entry.content_allowed,
        commercial=entry.commercial,
        uses_left=entry.quota_remaining,
        grantor_roles=entry.grantor_roles,
        grantor_ial=entry.grantor_ial,
        signed_by=entry.signed_by,
        interest=entry.interest,
        written=entry.written,
        separate=entry.separate,
        represented=entry.represented,
        replaces_performance=entry.replaces_performance,
        obligations=entry.obligations,
        acknowledges_objections=entry.acknowledges_objections,
    )


def _objection(entry: ObjectionEntry) -> Objection:
    return Objection(
        id=entry.id,
        state=entry.state,
        since=moment(entry.since),
        modalities=scope(entry.modalities),
        uses=scope(entry.uses),
        purposes=scope(entry.purposes),
        territories=scope(entry.territories),
        filed_by_role=entry.filed_by_role,
        carve_out_grants=entry.carve_out_grants,
        until=moment(entry.until) if entry.until is not None else None,
    )


def _order(entry: OrderEntry) -> Order:
    return Order(
        id=entry.id,
        modalities=scope(entry.modalities),
        uses=scope(entry.uses),
        purposes=scope(entry.purposes),
        territories=scope(entry.territories),
    )
