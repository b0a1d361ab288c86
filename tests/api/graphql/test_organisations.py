"""Whom an organisation names its member: people, and nobody who decides about others."""

import pytest

from api.state import State
from registry.principals import PrincipalKind
from tests.api.graphql.identifying import Identities
from tests.api.graphql.test_hands import ADD
from tests.conftest import Account, Accounts, Execute, Json


async def add(execute: Execute, organisation: Account, account: Account) -> Json:
    given = {"principalId": str(account.id)}
    done: Json = (await execute(organisation, ADD, input=given))["done"]
    return done


@pytest.mark.parametrize(
    "kind", [PrincipalKind.ATTESTER, PrincipalKind.REVIEWER, PrincipalKind.REGULATOR]
)
async def test_nobody_of_an_office_is_named_a_member(
    execute: Execute, owner: Account, accounts: Accounts, kind: PrincipalKind
) -> None:
    refused = await add(execute, owner, await accounts.open(kind))
    absent = await add(execute, owner, Account(owner.id, owner.kind, "", ""))
    assert refused["code"] == "NOT_FOUND", refused
    assert absent["code"] == "CONFLICT"
    assert "code" not in await add(execute, owner, await accounts.open(PrincipalKind.PERSON))


async def test_no_organisation_keeps_an_attester_from_attesting(
    state: State, execute: Execute, owner: Account, accounts: Accounts
) -> None:
    identities = await Identities.open(state, accounts, execute)
    account, _ = await identities.newcomer()
    service = """mutation ($input: RegisterServiceInput!) {
      registerService(input: $input) { __typename } }"""
    await execute(owner, service, input={"name": f"Service of {owner.handle}"})
    await add(execute, owner, identities.attester)
    assert "attestation" in await identities.attest(account)
