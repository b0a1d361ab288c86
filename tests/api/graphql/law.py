"""The facts that the law asks for, put on record over GraphQL in one call each."""

from tests.conftest import Account, Execute, Json

_PROTECTION = """protection { id kind assured stands source class diedOn territory
  relativesLiving createdAt }"""
_REPRESENTATIVE = """representative { id principalId name role kinship share source endsAt
  verified confirmed ended createdAt }"""
_ORDER = """order { id subjectId modalities uses purposes territories authority reference
  lifted createdAt }"""
_CIRCUMSTANCE = "circumstance { id name territory holds startsAt endsAt source }"
_FILING = "filing { id territory kind number status counts createdAt }"

# mutation -> the type of its input (or of none but an id), of its result, and what is read
_MADE = {
    "assertClass": ("AssertClassInput", "ClassAsserted", _PROTECTION),
    "recordDeath": ("RecordDeathInput", "DeathRecorded", _PROTECTION),
    "recordRelatives": ("RecordRelativesInput", "RelativesRecorded", _PROTECTION),
    "recordResidence": ("RecordResidenceInput", "ResidenceRecorded", _PROTECTION),
    "appointRepresentative": (
        "AppointRepresentativeInput",
        "RepresentativeAppointed",
        _REPRESENTATIVE,
    ),
    "placeOrder": ("PlaceOrderInput", "OrderPlaced", _ORDER),
    "stateCircumstance": ("StateCircumstanceInput", "CircumstanceStated", _CIRCUMSTANCE),
    "setFiling": ("SetFilingInput", "FilingSet", _FILING),
}
_ENDED = {
    "retractProtection": ("ProtectionRetracted", _PROTECTION),
    "verifyRepresentative": ("RepresentativeVerified", _REPRESENTATIVE),
    "confirmRepresentative": ("RepresentativeConfirmed", _REPRESENTATIVE),
    "endRepresentative": ("RepresentativeEnded", _REPRESENTATIVE),
    "liftOrder": ("OrderLifted", _ORDER),
    "retractCircumstance": ("CircumstanceRetracted", _CIRCUMSTANCE),
    "revokeFiling": ("FilingRevoked", _FILING),
}
DEATH = {"source": "Death certificate"}
ABSENT = "00000000-0000-7000-8000-00000000dead"


async def make(execute: Execute, account: Account, name: str, /, **given: object) -> Json:
    """What the mutation made, or the Problem."""
    input_type, result, shape = _MADE[name]
    document = (
        f"mutation ($input: {input_type}!) {{ done: {name}(input: $input) {{"
        f" ... on {result} {{ made: {shape} }} ... on Problem {{ code field message }} }} }}"
    )
    return _made(await execute(account, document, input=given))


async def end(
    execute: Execute, account: Account, name: str, id: str, reason: str | None = None
) -> Json:
    """The fact of which this mutation tells the end (or the verification), or the Problem."""
    result, shape = _ENDED[name]
    declared, passed = ("", "") if reason is None else (", $reason: String", ", reason: $reason")
    document = (
        f"mutation ($id: ID!{declared}) {{ done: {name}(id: $id{passed}) {{"
        f" ... on {result} {{ made: {shape} }} ... on Problem {{ code field message }} }} }}"
    )
    more = {} if reason is None else {"reason": reason}
    return _made(await execute(account, document, id=id, **more))


async def sign(execute: Execute, account: Account, grant: str, role: str) -> Json:
    """The grant, signed in this role, or the Problem."""
    document = (
        "mutation ($id: ID!, $role: GrantorRole!) { done: signGrant(id: $id, role: $role) {"
        " ... on GrantSigned { made: grant { id state } }"
        " ... on Problem { code field message } } }"
    )
    return _made(await execute(account, document, id=grant, role=role))


def _made(data: Json) -> Json:
    done: Json = data["done"]
    made: Json = done.get("made", done)
    assert made
    return made


def refusal(done: Json) -> tuple[str, str | None]:
    """Code and field of a Problem."""
    assert "code" in done, done
    return done["code"], done["field"]
