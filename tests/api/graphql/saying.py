"""Mutations by name, for tests: what is answered, Problem or not."""

from typing import Any

from tests.conftest import Account, Execute, Json

PROBLEM = "... on Problem { code message field }"
PROTECTION = (
    """protection { id kind assured stands source class diedOn territory relativesLiving }"""
)
REPRESENTATIVE = "representative { id role kinship share verified ended name principalId source }"
SHOWN = {
    "assertClass": ("AssertClassInput", "ClassAsserted", PROTECTION),
    "recordDeath": ("RecordDeathInput", "DeathRecorded", PROTECTION),
    "recordRelatives": ("RecordRelativesInput", "RelativesRecorded", PROTECTION),
    "recordResidence": ("RecordResidenceInput", "ResidenceRecorded", PROTECTION),
    "appointRepresentative": (
        "AppointRepresentativeInput",
        "RepresentativeAppointed",
        REPRESENTATIVE,
    ),
    "placeOrder": ("PlaceOrderInput", "OrderPlaced", "order { id authority reference lifted }"),
    "stateCircumstance": (
        "StateCircumstanceInput",
        "CircumstanceStated",
        "circumstance { id name territory holds }",
    ),
    "setFiling": ("SetFilingInput", "FilingSet", "filing { id kind number status counts }"),
}
ENDED = {
    "retractProtection": ("ProtectionRetracted", PROTECTION),
    "verifyRepresentative": ("RepresentativeVerified", REPRESENTATIVE),
    "endRepresentative": ("RepresentativeEnded", REPRESENTATIVE),
    "liftOrder": ("OrderLifted", "order { id lifted }"),
    "retractCircumstance": ("CircumstanceRetracted", "circumstance { id }"),
    "revokeFiling": ("FilingRevoked", "filing { id status counts }"),
}
SIGN = """
mutation ($id: ID!, $role: GrantorRole!) { answer: signGrant(id: $id, role: $role) {
  ... on GrantSigned { grant { id state } } ... on Problem { code message field } } }
"""


async def say(execute: Execute, account: Account, name: str, /, **given: Any) -> Json:
    """What a creating mutation answered: the thing it made, or a Problem."""
    kind, done, shown = SHOWN[name]
    document = (
        f"mutation ($input: {kind}!) {{ answer: {name}(input: $input) "
        f"{{ ... on {done} {{ {shown} }} {PROBLEM} }} }}"
    )
    return _thing((await execute(account, document, input=given))["answer"])


async def end(execute: Execute, account: Account, name: str, id: str) -> Json:
    """What a mutation that ends something answered."""
    done, shown = ENDED[name]
    document = (
        f"mutation ($id: ID!) {{ answer: {name}(id: $id) "
        f"{{ ... on {done} {{ {shown} }} {PROBLEM} }} }}"
    )
    return _thing((await execute(account, document, id=id))["answer"])


async def sign(execute: Execute, account: Account, grant: str, role: str) -> Json:
    """What signing answered."""
    answered = await execute(account, SIGN, id=grant, role=role)
    return _thing(answered["answer"])


def _thing(answer: Json) -> Json:
    if "code" in answer:
        return answer
    [thing] = answer.values()
    made: Json = thing
    return made


def refused(answer: Json) -> tuple[str, str | None]:
    """Code and field of a Problem."""
    return answer["code"], answer["field"]
