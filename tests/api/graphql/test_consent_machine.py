"""Any hands do anything in any order: nothing is permitted that every needed hand did not sign.

Random sequences over real GraphQL; what the registry refuses is its own affair, what it allows and
permits is held against `consent_model`.
"""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from registry.policy.vocabulary import GrantorRole
from registry.principals import PrincipalKind
from tests import acts
from tests.conftest import Account, Accounts, Execute, Json

from .consent_model import SELF, Hand, Mandate, Model, No, Paper
from .law import end, make, sign

EXAMPLES, STEPS = 30, 12
HANDS = (
    Hand("owner", "owner"),
    Hand("owner at IAL1", "owner", ial=1),
    Hand("guardian", "guardian"),
    Hand("agent", "agent"),
    Hand("agent at IAL1", "agent", ial=1),
    Hand("heir", "heir"),
    Hand("stranger", "stranger"),
    Hand("attester", "attester", office=True),
    Hand("service", "service"),
)
ROLES = {
    "guardian": GrantorRole.GUARDIAN,
    "agent": GrantorRole.AGENT,
    "heir": GrantorRole.RIGHTS_HOLDER,
}
ACTS = (
    "propose",
    "sign",
    "sign",
    "revoke",
    "object",
    "withdraw",
    "appoint",
    "verify",
    "confirm",
    "end",
    "die",
)
CONFIRM = """
mutation ($id: ID!) { confirmRepresentative(id: $id) {
  ... on RepresentativeConfirmed { representative { id } } ... on Problem { code message } } }
"""
SHOWN = """query ($subject: ID!) {
  grants(subjectId: $subject, first: 100) { edges { node { id state receipts { token } } } }
  objections(subjectId: $subject, first: 100) { edges { node {
    id state receipts { eventState token } } } } }"""

Step = tuple[str, Hand, int, GrantorRole]
# Whom each act is likely to succeed for; anybody else tries it too, a third of the time.
LIKELY = {
    "propose": ("owner",),
    "sign": ("owner", "guardian", "agent", "heir"),
    "revoke": ("owner", "agent"),
    "object": ("owner", "owner at IAL1", "guardian"),
    "withdraw": ("owner", "owner at IAL1"),
    "appoint": ("owner", "attester"),
    "verify": ("attester",),
    "confirm": ("owner",),
    "end": ("owner", "attester"),
    "die": ("owner", "attester"),
}
NAMED = {one.name: one for one in HANDS}


@st.composite
def steps(draw: st.DrawFn) -> Step:
    act = draw(st.sampled_from(ACTS))
    likely = draw(st.integers(0, 2))
    hand = draw(st.sampled_from([NAMED[one] for one in LIKELY[act]] if likely else HANDS))
    return act, hand, draw(st.integers(0, 5)), draw(st.sampled_from(GrantorRole))


# What happens first, as far as an example goes along: else few of them would come to a grant.
OPENING: tuple[Step, ...] = (
    ("propose", NAMED["owner"], 0, SELF),
    ("appoint", NAMED["owner"], 0, SELF),
    ("verify", NAMED["attester"], 0, SELF),
    ("sign", NAMED["owner"], 1, SELF),
    ("sign", NAMED["guardian"], 0, SELF),
    ("appoint", NAMED["owner"], 1, SELF),
    ("confirm", NAMED["owner"], 1, SELF),
)


@dataclass
class Stage:
    """One person on record, the accounts around them, and the model of both."""

    execute: Execute
    accounts: dict[str, Account]
    model: Model
    subject: str = ""
    picture: str = ""
    shown: dict[str, list[str]] = field(default_factory=dict)  # receipts so far, by record

    async def open(self) -> None:
        age = 8 if self.model.child else 40
        born = (datetime.now(UTC) - timedelta(days=366 * age)).date().isoformat()
        owner = self.accounts["owner"]
        self.subject = await acts.subject(self.execute, owner, birthDate=born)
        self.picture = acts.random_hash()
        await acts.asset(self.execute, owner, [self.subject], self.picture)

    async def do(self, step: Step) -> bool:
        """Try one act over GraphQL; true, and the model told, if the registry let it happen."""
        act, hand, index, role = step
        done: bool = await getattr(self, f"_{act}")(hand, index, role)
        return done

    async def _propose(self, hand: Hand, *_: Any) -> bool:
        given = {
            "subjectId": self.subject,
            "scope": {"uses": ["GENERATE_IMAGE"]},
            "endsAt": "2028-11-01T00:00:00Z",
            "written": True,
            "separate": True,
        }
        made = await self._send(hand, acts.PROPOSE, input=given)
        if "grant" in made:
            assert self.model.roles(hand), hand
            self.model.papers[made["grant"]["id"]] = Paper()
        return "grant" in made

    async def _sign(self, hand: Hand, index: int, role: GrantorRole) -> bool:
        if not (id := chosen(self.model.papers, index)):
            return False
        role = SELF if index % 2 else ROLES.get(hand.account, role)
        made = await sign(self.execute, self._account(hand), id, role)
        if "state" in made:
            paper = self.model.papers[id]
            assert self.model.may_sign(hand, role), (hand, role)
            assert not paper.revoked
            paper.signed.add((hand.account, role))
            paper.last = next(self.model.clock)
            paper.enough = self.model.enough(paper)
        return "state" in made

    async def _revoke(self, hand: Hand, index: int, _: GrantorRole) -> bool:
        if not (id := chosen(self.model.papers, index)):
            return False
        made = await self._send(hand, acts.REVOKE, id=id)
        if "grant" in made:
            assert self.model.roles(hand), hand
            self.model.papers[id].revoked = True
        return "grant" in made

    async def _object(self, hand: Hand, *_: Any) -> bool:
        made = await self._send(hand, acts.OBJECT, input={"subjectId": self.subject})
        if "objection" in made:
            roles = self.model.roles(hand)
            assert roles, hand
            role = max(roles, key=list(reversed(GrantorRole)).index)
            proved = made["objection"]["state"] == "VERIFIED"
            assert not proved or hand.ial >= 2
            since = next(self.model.clock)
            self.model.noes[made["objection"]["id"]] = No(role, proved, since)
        return "objection" in made

    async def _withdraw(self, hand: Hand, index: int, _: GrantorRole) -> bool:
        if not (id := chosen(self.model.noes, index)):
            return False
        made = await self._send(hand, acts.WITHDRAW, id=id)
        if "objection" in made:
            assert self.model.may_withdraw(hand, id), (hand, self.model.noes[id])
            self.model.noes[id].withdrawn = True
        return "objection" in made

    async def _appoint(self, hand: Hand, index: int, _: GrantorRole) -> bool:
        account = ("guardian", "agent", "heir")[index % 3]
        given = {
            "subjectId": self.subject,
            "principalId": str(self.accounts[account].id),
            "role": ROLES[account],
            "source": "A document",
        }
        if account == "heir":
            given["kinship"] = "CHILD"
        made = await make(self.execute, self._account(hand), "appointRepresentative", **given)
        if "id" in made:
            assert hand.office or hand.account == "owner", hand
            assert hand.office or not made["verified"]
            by_person = hand.account == "owner" and hand.ial >= 2
            assert made["confirmed"] is (by_person and account == "agent")
            self.model.mandates[made["id"]] = Mandate(
                account, ROLES[account], made["verified"], made["confirmed"]
            )
        return "id" in made

    async def _verify(self, hand: Hand, index: int, _: GrantorRole) -> bool:
        if not (id := chosen(self.model.mandates, index)):
            return False
        made = await end(self.execute, self._account(hand), "verifyRepresentative", id)
        if "id" in made:
            assert hand.office, hand
            assert not self.model.mandates[id].ended
            self.model.mandates[id].verified = True
        return "id" in made

    async def _confirm(self, hand: Hand, index: int, _: GrantorRole) -> bool:
        if not (id := chosen(self.model.mandates, index)):
            return False
        made = await self._send(hand, CONFIRM, id=id)
        if "representative" in made:
            assert hand.account == "owner"
            assert hand.ial >= 2
            assert not self.model.mandates[id].ended
            self.model.mandates[id].confirmed = True
        return "representative" in made

    async def _end(self, hand: Hand, index: int, _: GrantorRole) -> bool:
        if not (id := chosen(self.model.mandates, index)):
            return False
        made = await end(self.execute, self._account(hand), "endRepresentative", id)
        if "id" in made:
            mandate = self.model.mandates[id]
            assert hand.office or hand.account in {"owner", mandate.account}, hand
            mandate.ended = True
        return "id" in made

    async def _die(self, hand: Hand, index: int, _: GrantorRole) -> bool:
        if index:  # seldom: little happens afterwards
            return False
        given = {"subjectId": self.subject, "diedOn": "2025-01-01", "source": "A certificate"}
        made = await make(self.execute, self._account(hand), "recordDeath", **given)
        if "id" in made:
            assert hand.office or self.model.roles(hand), hand
            self.model.dead = self.model.dead or made["assured"]
        return "id" in made

    async def check(self) -> bool:
        """What must hold after every step; whether the use is permitted now."""
        asked = acts.question(self.picture, nonce=secrets.token_hex(8))
        decision = await acts.check(self.execute, self.accounts["service"], asked)
        assert decision["mayProceed"] is (decision["outcome"] == "PERMITTED")
        if decision["mayProceed"]:
            assert self.model.may_permit(), self.model
        shown = await self.execute(self.accounts["owner"], SHOWN, subject=self.subject)
        grants, objections = (
            [one["node"] for one in shown[name]["edges"]] for name in ("grants", "objections")
        )
        assert {one["id"] for one in grants} == set(self.model.papers)
        assert {one["id"] for one in objections} == set(self.model.noes)
        for one in grants:
            paper = self.model.papers[one["id"]]
            assert (one["state"] == "REVOKED") is paper.revoked
            assert one["state"] != "ACTIVE" or paper.enough
        for one in objections:
            assert (one["state"] == "WITHDRAWN") is self.model.noes[one["id"]].withdrawn
        for one in [*grants, *objections]:
            self._receipts_only_grow(one)
        return bool(decision["mayProceed"])

    def _receipts_only_grow(self, record: Json) -> None:
        tokens = [one["token"] for one in record["receipts"]]
        before = self.shown.get(record["id"], [])
        assert tokens[: len(before)] == before
        self.shown[record["id"]] = tokens
        if tokens:
            payload = tokens[-1].split(".")[1]
            said = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            assert said["event"]["likeness:record_state"] == record["state"]

    def _account(self, hand: Hand) -> Account:
        return self.accounts[hand.name]

    async def _send(self, hand: Hand, document: str, **variables: Any) -> Json:
        done: Json = next(
            iter((await self.execute(self._account(hand), document, **variables)).values())
        )
        return done


def chosen(records: dict[str, Any], index: int) -> str | None:
    """One of the records, if there are any."""
    ids = list(records)
    return ids[index % len(ids)] if ids else None


_cast: dict[str, Account] = {}


async def cast(accounts: Accounts) -> dict[str, Account]:
    """One account for each hand, the same for all examples; two of one account differ in token."""
    if not _cast:
        kinds = {"attester": PrincipalKind.ATTESTER, "service": PrincipalKind.SERVICE}
        for hand in HANDS:
            if hand.name == hand.account:
                _cast[hand.name] = await accounts.open(kinds.get(hand.name, PrincipalKind.PERSON))
            else:
                known = _cast[hand.account]
                token = await accounts.token(known.id, ial=hand.ial)
                _cast[hand.name] = Account(known.id, known.kind, token, known.handle)
    return _cast


@given(
    child=st.booleans(),
    opening=st.sampled_from((7, 5, 4, 7, 5, 3, 1)),
    played=st.lists(steps(), min_size=3, max_size=STEPS),
)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
async def test_nothing_is_permitted_that_every_needed_hand_did_not_sign(
    execute: Execute, accounts: Accounts, child: bool, opening: int, played: list[Step]
) -> None:
    stage = Stage(execute, await cast(accounts), Model(child=child))
    await stage.open()
    for step in OPENING[:opening]:
        await stage.do(step)
    for step in played:
        if await stage.do(step):
            event(step[0])
            if await stage.check():
                event("permitted")
    await stage.check()


async def test_the_machine_comes_as_far_as_a_permission_and_a_refusal(
    execute: Execute, accounts: Accounts
) -> None:
    """The random walk is worth something only if its acts do what they are called."""
    owner, guardian, attester = (NAMED[one] for one in ("owner", "guardian", "attester"))
    weak = NAMED["owner at IAL1"]
    stage = Stage(execute, await cast(accounts), Model(child=True))
    await stage.open()
    walk: list[tuple[Step, bool]] = [
        (("propose", owner, 0, SELF), True),
        (("appoint", owner, 0, SELF), True),
        (("sign", guardian, 0, SELF), False),
        (("verify", owner, 0, SELF), False),
        (("verify", attester, 0, SELF), True),
        (("sign", guardian, 0, SELF), True),
    ]
    for step, happens in walk:
        assert await stage.do(step) is happens, step
        await stage.check()
    assert await stage.check()
    for step in (("object", weak, 0, SELF), ("object", owner, 0, SELF)):
        assert await stage.do(step)
        assert not await stage.check()
    assert not await stage.do(("withdraw", weak, 1, SELF))  # it was said at IAL2
    assert await stage.do(("withdraw", weak, 0, SELF))
    assert not await stage.check()
    assert await stage.do(("withdraw", owner, 1, SELF))
    assert await stage.check()
    assert await stage.do(("die", attester, 0, SELF))
    assert not await stage.check()
