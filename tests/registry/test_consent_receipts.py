"""A consent receipt says what happened, names nobody, and holds for whoever has the public keys."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from registry import consent_receipts as receipts
from registry import jws
from registry.consent_receipts import Happening, Issuer, Matter, Party
from registry.errors import InvalidError
from registry.grant_terms import Notice
from registry.key_files import KeyRole
from registry.keys import Keys
from registry.policy import dpv
from registry.policy.dpv import ConsentStatus
from registry.policy.vocabulary import AiUse, GrantorRole, Modality, Purpose
from registry.receipts import jcs
from registry.scopes import Scope

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
PERSON, RECORD, EVENT, GUARDIAN, STUDIO = (UUID(int=one) for one in range(1, 6))
SCHEMA = Draft202012Validator(
    json.loads(Path(receipts.__file__).with_name("consent_receipt.schema.json").read_text())
)
MATTER = Matter(
    record_id=RECORD,
    subject_id=PERSON,
    scope=Scope(
        modalities=frozenset({Modality.VOICE, Modality.FACE}),
        uses=frozenset({AiUse.SYNTHESIZE_SPEECH}),
        purposes=frozenset({Purpose.AUDIOBOOK}),
        territories=frozenset({"DE", "CN"}),
    ),
    parties=(Party(STUDIO, "A studio"),),
    withdrawal="revokeGrant",
    starts_at=NOW,
    ends_at=NOW + timedelta(days=365),
    notice=Notice("2026-11", "de", bytes.fromhex("ab" * 32)),
    terms={"commercial": True, "max_uses": 10},
)
GIVEN = Happening(EVENT, NOW, ConsentStatus.GIVEN, PERSON, GrantorRole.SELF, "ACTIVE")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    keys = Keys.open(tmp_path_factory.mktemp("likeness"))
    return Issuer("https://registry.example", "DE", keys)


def made(
    issuer: Issuer,
    matter: Matter = MATTER,
    happening: Happening = GIVEN,
    reader: UUID | None = None,
) -> dict[str, Any]:
    return receipts.document(matter, happening, reader=reader, issuer=issuer)


def test_it_says_who_may_do_what_where_until_when_and_how_to_end_it(issuer: Issuer) -> None:
    document = made(issuer)
    SCHEMA.validate(document)
    said = document["pii_processing"]
    assert document["receipt_metadata"]["record_id"] == str(RECORD)
    assert document["receipt_metadata"]["receipt_id"] == str(EVENT)
    assert said["privacy_notice"] == {"version": "2026-11", "sha256": "ab" * 32}
    assert said["language"] == "de"
    assert said["purposes"] == [{"purpose": "AUDIOBOOK", "purpose_type": ["dpv:ServiceProvision"]}]
    assert said["pii_information"] == [
        {"pii_type": "FACE_TEMPLATE", "special_pii_category": True},
        {"pii_type": "VOICE_TEMPLATE", "special_pii_category": True},
    ]
    assert said["pii_controllers"] == said["recipient_third_parties"] == [str(STUDIO)]
    assert said["jurisdiction"] == ["CN", "DE"]
    assert said["storage_locations"] == ["DE"]
    assert said["withdrawal_method"] == {
        "url": "https://registry.example/graphql",
        "mutation": "revokeGrant",
        "cost": "free of charge",
    }
    assert [one["party_name"] for one in document["party_identification"]] == [
        "https://registry.example",
        "A studio",
    ]
    event = document["event"]
    assert (event["event_type"], event["event_state"]) == ("EXPLICIT", "ConsentGiven")
    assert event["event_time"] == "2026-11-25T09:00:00+00:00"
    assert event["validity_duration"]["until"] == "2027-11-25T09:00:00+00:00"


def test_what_names_nothing_means_all_of_it(issuer: Issuer) -> None:
    document = made(issuer, replace(MATTER, scope=Scope(), parties=None, notice=None))
    SCHEMA.validate(document)
    said = document["pii_processing"]
    assert said["privacy_notice"] is None
    assert said["language"] == "und"
    assert said["purposes"] == [{"purpose": "ALL", "purpose_type": ["dpv:Purpose"]}]
    assert said["jurisdiction"] == ["ALL"]
    assert said["pii_controllers"] == ["ALL_SERVICES"]
    assert len(said["pii_information"]) == len(Modality)


def test_a_consent_that_cools_off_holds_from_then_on(issuer: Issuer) -> None:
    later = NOW + timedelta(hours=72)
    document = made(issuer, MATTER, replace(GIVEN, effective_at=later))
    assert document["event"]["validity_duration"]["from"] == "2026-11-28T09:00:00+00:00"
    assert document["event"]["event_time"] == "2026-11-25T09:00:00+00:00"


def test_an_objection_is_no_consent(issuer: Issuer) -> None:
    filed = replace(GIVEN, status=ConsentStatus.OBJECTION_FILED, record_state="PROVISIONAL")
    matter = replace(MATTER, consent=False, withdrawal="withdrawObjection", parties=None)
    document = made(issuer, matter, filed)
    SCHEMA.validate(document)
    assert "lawful_basis" not in document["pii_processing"]
    assert document["event"]["event_state"] == "likeness:ObjectionFiled"


def test_people_have_another_name_for_every_reader(issuer: Issuer) -> None:
    names = {
        made(issuer, reader=one)["receipt_metadata"]["pii_principal_id"]
        for one in (None, STUDIO, UUID(int=77))
    }
    assert len(names) == 3
    own = made(issuer)
    assert own["event"]["entity_id"] == own["receipt_metadata"]["pii_principal_id"]
    signed = replace(GIVEN, entity_id=GUARDIAN, role=GrantorRole.GUARDIAN)
    for reader in (None, STUDIO):
        text = json.dumps(made(issuer, MATTER, signed, reader))
        assert str(PERSON) not in text
        assert str(GUARDIAN) not in text
        event = json.loads(text)["event"]
        assert event["entity_id"] == issuer.keys.pseudonym(GUARDIAN, to=reader or PERSON)


def test_who_acts_for_two_people_is_not_recognised_in_their_receipts(issuer: Issuer) -> None:
    signed = replace(GIVEN, entity_id=GUARDIAN, role=GrantorRole.GUARDIAN)
    other = replace(MATTER, subject_id=UUID(int=78))
    names = [made(issuer, one, signed)["event"]["entity_id"] for one in (MATTER, other)]
    assert names[0] != names[1]


@given(data=st.data())
def test_every_document_fits_the_schema_and_comes_out_the_same_again(
    issuer: Issuer, data: st.DataObject
) -> None:
    def some(members: type[Any]) -> Any:
        return data.draw(st.none() | st.frozensets(st.sampled_from(list(members)), min_size=1))

    codes = st.frozensets(st.sampled_from(["CN", "US-CA", "EU"]), min_size=1)
    scope = Scope(
        modalities=some(Modality),
        uses=some(AiUse),
        purposes=some(Purpose),
        territories=data.draw(st.none() | codes),
    )
    names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
    parties = data.draw(
        st.none() | st.lists(st.builds(Party, st.uuids(), names), min_size=1, max_size=4).map(tuple)
    )
    matter = replace(MATTER, scope=scope, parties=parties)
    happening = replace(
        GIVEN,
        status=data.draw(st.sampled_from(ConsentStatus)),
        role=data.draw(st.sampled_from(GrantorRole)),
    )
    first = receipts.receipt(matter, happening, reader=None, issuer=issuer)
    SCHEMA.validate(json.loads(first.document))
    shuffled = None if parties is None else tuple(reversed(parties))
    again = receipts.receipt(
        replace(matter, parties=shuffled), happening, reader=None, issuer=issuer
    )
    assert again == first


def test_it_verifies_with_the_public_keys_alone(issuer: Issuer) -> None:
    receipt = receipts.receipt(MATTER, GIVEN, reader=None, issuer=issuer)
    jwks = json.loads(json.dumps(issuer.keys.jwks()))
    verified = receipts.verify(receipt.token, jwks)
    assert verified.document == json.loads(receipt.document)
    assert verified.kid == issuer.keys.token_signer.kid


def test_it_still_verifies_after_the_key_was_changed(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path)
    issuer = Issuer("https://registry.example", "DE", keys)
    before = receipts.receipt(MATTER, GIVEN, reader=None, issuer=issuer)
    keys.rotate(KeyRole.TOKEN)
    after = receipts.receipt(MATTER, GIVEN, reader=None, issuer=issuer)
    assert before.document == after.document
    for one in (before, after):
        assert receipts.verify(one.token, keys.jwks()).document == json.loads(one.document)


def test_a_receipt_for_a_hundred_services_is_read_again(issuer: Issuer) -> None:
    matter = replace(MATTER, parties=tuple(Party(UUID(int=n), "\u5f20" * 200) for n in range(100)))
    token = receipts.receipt(matter, GIVEN, reader=None, issuer=issuer).token
    assert len(token) > jws.MAX_BYTES
    assert len(receipts.verify(token, issuer.keys.jwks()).document["party_identification"]) == 101


def resigned(typ: str, document: object) -> Callable[[Issuer], str]:
    return lambda issuer: jws.sign(jcs(document), typ=typ, signer=issuer.keys.token_signer)


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (resigned("crd+jwt", {}), "header"),
        (resigned(receipts.TYPE, {"event": {}}), "no receipt_metadata"),
        (
            lambda issuer: jws.sign(b"{}", typ=receipts.TYPE, signer=issuer.keys.access_signer),
            "unknown key",
        ),
        (lambda _: "x" * (receipts.MAX_BYTES + 1), "too large"),
    ],
)
def test_what_is_no_receipt_does_not_hold(
    issuer: Issuer, forge: Callable[[Issuer], str], why: str
) -> None:
    with pytest.raises(InvalidError, match=why):
        receipts.verify(forge(issuer), issuer.keys.jwks())


def test_a_changed_receipt_does_not_hold(issuer: Issuer) -> None:
    head, _, signature = receipts.receipt(MATTER, GIVEN, reader=None, issuer=issuer).token.split(
        "."
    )
    other = replace(GIVEN, status=ConsentStatus.WITHDRAWN)
    body = receipts.receipt(MATTER, other, reader=None, issuer=issuer).token.split(".")[1]
    with pytest.raises(InvalidError, match="does not verify"):
        receipts.verify(f"{head}.{body}.{signature}", issuer.keys.jwks())


@pytest.mark.parametrize(
    ("words", "table"),
    [(Purpose, dpv.PURPOSES), (AiUse, dpv.USES), (Modality, dpv.PERSONAL_DATA)],
)
def test_every_word_has_one_in_dpv(words: type[Any], table: dict[Any, Any]) -> None:
    assert set(table) == set(words)


def test_words_in_dpv_have_its_form() -> None:
    terms = [*dpv.PURPOSES.values(), *dpv.USES.values(), dpv.ANY_PURPOSE, dpv.ANY_USE]
    for one in (term for several in terms for term in several):
        assert re.fullmatch(r"(dpv|ai):[A-Z][A-Za-z]+", one), one


def test_the_schema_knows_every_state_and_role() -> None:
    event = SCHEMA.schema["properties"]["event"]["properties"]
    assert event["event_state"]["enum"] == list(ConsentStatus)
    assert set(event["entity_role"]["enum"]) >= set(GrantorRole)
