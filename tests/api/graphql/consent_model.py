"""What a person's record can come to, in a model that knows only who did what.

The model judges successes, never refusals: what the registry allowed must have been allowed, and
what it permits must have been signed by every hand that is needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from registry.policy.authority import RANK
from registry.policy.vocabulary import GrantorRole

SELF = GrantorRole.SELF


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody who acts: an account, and how well it is known in this session."""

    name: str
    account: str
    ial: int = 2
    office: bool = False


@dataclass(slots=True)
class Mandate:
    """A representation as far as the test brought it."""

    account: str
    role: GrantorRole
    verified: bool = False  # by an office
    confirmed: bool = False  # by the person
    ended: bool = False

    @property
    def live(self) -> bool:
        counts = self.confirmed if self.role is GrantorRole.AGENT else self.verified
        return counts and not self.ended


@dataclass(slots=True)
class Paper:
    """A grant: who signed it in what right, when last, and whether it was taken back."""

    signed: set[tuple[str, GrantorRole]] = field(default_factory=set)
    last: int = -1
    revoked: bool = False
    enough: bool = False  # whether all who must had signed, at the last signature


@dataclass(slots=True)
class No:
    """An objection: in what right, how well known, when, and by whom it was taken back."""

    role: GrantorRole
    proved: bool
    since: int
    withdrawn: bool = False


@dataclass(slots=True)
class Model:
    """One person, kept by `owner`; a child has a guardian, the dead have heirs."""

    child: bool
    dead: bool = False
    mandates: dict[str, Mandate] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    noes: dict[str, No] = field(default_factory=dict)
    clock: Iterator[int] = field(default_factory=count)

    def roles(self, hand: Hand) -> set[GrantorRole]:
        """In what rights a hand acts for the person now."""
        found = {
            one.role for one in self.mandates.values() if one.live and one.account == hand.account
        }
        return found | ({SELF} if hand.account == "owner" else set())

    def may_sign(self, hand: Hand, role: GrantorRole) -> bool:
        return hand.ial >= 2 and role in self.roles(hand)

    def may_withdraw(self, hand: Hand, id: str) -> bool:
        no = self.noes[id]
        ranks = [RANK[one] for one in self.roles(hand)]
        known = hand.ial >= 2 or not no.proved
        return known and not no.withdrawn and max(ranks, default=-1) >= RANK[no.role]

    def may_permit(self) -> bool:
        """Whether some grant has every signature that is needed, and no later no is in force."""
        return any(self._stands(one) for one in self.papers.values())

    def enough(self, paper: Paper) -> bool:
        """Whether those signed who must, by the law of everywhere."""
        needed = {SELF, GrantorRole.AGENT}  # nobody signs as an agent but within a live mandate
        if self.dead:
            needed = {GrantorRole.RIGHTS_HOLDER, GrantorRole.ESTATE_REPRESENTATIVE}
        elif self.child:
            needed = {GrantorRole.GUARDIAN}
        return any(role in needed for _, role in paper.signed)

    def _stands(self, paper: Paper) -> bool:
        later = any(not one.withdrawn and one.since > paper.last for one in self.noes.values())
        return not paper.revoked and self.enough(paper) and not later
