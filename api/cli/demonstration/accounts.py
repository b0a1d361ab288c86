"""Who takes part: an agency, a registrar, a guardian, an heir, a customer, a reviewer, AI services.

The operator opens their accounts on the machine itself, beside the running server, as
`likeness token` does.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from registry import client_secrets, principals, services
from registry.access_tokens import mint_access
from registry.database import WriteSession, new_id
from registry.installation import Installation, opened
from registry.policy.vocabulary import ObligationCode
from registry.principals import OPERATOR_ID, PrincipalKind, Scope
from registry.settings import Settings

LIFETIME = timedelta(hours=24)
REVIEWER = "Rita Reviewer"
_IAL = 2  # a grant is signed by somebody known at NIST SP 800-63A IAL2
_SELF_ASSERTED = 1
_CUSTOMER = "a customer of the studio"


@dataclass(frozen=True, slots=True)
class Account:
    """An account and the token that speaks for it. `secret`: a service's, to sign in with."""

    id: UUID
    name: str
    token: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Everyone who has a token."""

    agency: Account
    studio: Account  # tier 2: has a contract, and is named in the grants
    rival: Account  # tier 2, but in no grant
    newcomer: Account  # tier 0: only registered
    registrar: Account  # an attester: answers for what it puts on record
    guardian: Account  # of the child
    heir: Account  # of the dead singer
    customer: Account  # of the studio; nobody has identified him yet
    reviewer: Account  # of the registry's desk

    @property
    def by_role(self) -> dict[str, Account]:
        """Each account by the part it plays."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


async def open_accounts(data_dir: Path) -> Accounts:
    """Make the accounts in the installation that a server runs on this folder."""
    async with (
        opened(Settings.load(data_dir=data_dir), supervise=False) as installation,
        installation.operator.writing() as session,
    ):
        agency = await principals.register(
            session, kind=PrincipalKind.ORGANISATION, handle="Lantern Talent Agency"
        )
        rights = set(Scope) - {Scope.CHECK}
        holder = await _account(session, installation, agency, rights, ial=_IAL)
        people = {
            role: await _person(session, installation, kind, name)
            for role, kind, name in (
                ("registrar", PrincipalKind.ATTESTER, "Office of the Registrar"),
                ("guardian", PrincipalKind.PERSON, "the child's mother"),
                ("heir", PrincipalKind.PERSON, "the singer's daughter"),
                ("customer", PrincipalKind.PERSON, _CUSTOMER),
            )
        }
        desk = await principals.register(session, kind=PrincipalKind.REVIEWER, handle=REVIEWER)
        rights = {Scope.SUBJECTS_READ, Scope.REVIEWS_READ, Scope.REVIEWS_WRITE}
        reviewer = await _account(session, installation, desk, rights)
        asking = {
            role: await _service(session, installation, name, tier=tier)
            for role, name, tier in (
                ("studio", "Paper Moon Studio", 2),
                ("rival", "Glass Harbour AI", 2),
                ("newcomer", "Pop-up Avatars", 0),
            )
        }
    return Accounts(agency=holder, reviewer=reviewer, **asking, **people)


async def _person(
    session: WriteSession, installation: Installation, kind: PrincipalKind, name: str
) -> Account:
    principal = await principals.register(session, kind=kind, handle=name)
    rights = {Scope.SUBJECTS_WRITE, Scope.GRANTS_WRITE, Scope.REQUESTS_WRITE}
    ial = _SELF_ASSERTED if name == _CUSTOMER else _IAL
    return await _account(session, installation, principal, rights, ial=ial)


async def _service(
    session: WriteSession, installation: Installation, name: str, *, tier: int
) -> Account:
    service = await services.register(
        session,
        service_id=new_id(),
        owner_id=OPERATOR_ID,
        name=name,
        supported_obligations=list(ObligationCode),
    )
    await services.set_tier(session, service_id=service.id, tier=tier, actor_id=OPERATOR_ID)
    principal = await principals.get(session, service.id)
    rights = {Scope.CHECK, Scope.SERVICES_WRITE, Scope.REQUESTS_READ, Scope.REQUESTS_WRITE}
    account = await _account(session, installation, principal, rights)
    made = await client_secrets.make(
        session, principal_id=service.id, scopes=frozenset(rights), made_by=OPERATOR_ID
    )
    return replace(account, secret=made.secret)


async def _account(
    session: WriteSession,
    installation: Installation,
    principal: principals.Principal,
    scopes: Collection[Scope],
    *,
    ial: int = 0,
) -> Account:
    credential = await principals.issue(
        session,
        principal_id=principal.id,
        scopes=frozenset(scopes),
        ial=ial,
        expires_at=datetime.now(UTC) + LIFETIME,
    )
    token = mint_access(
        installation.keys,
        issuer=installation.settings.issuer,
        principal_id=principal.id,
        credential_id=credential.id,
        client_id=principal.handle,
        scopes=scopes,
        ial=ial,
        lifetime=LIFETIME,
    )
    return Account(principal.id, principal.handle, token)
