"""`likeness token`: accounts are opened when first needed; a token's credential is on record."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple
from uuid import UUID

import typer

from api.cli.output import USAGE, AsJson, Failed, line, note, result
from api.cli.session import identifier, run
from api.cli.settings import DataDir
from registry import client_secrets, principals, services
from registry.access_tokens import mint_access
from registry.database import WriteSession, new_id
from registry.errors import ConflictError
from registry.installation import Installation
from registry.policy.vocabulary import ObligationCode
from registry.principals import OPERATOR_ID, Credential, Principal, PrincipalKind, Scope

app = typer.Typer(no_args_is_help=True)

_DEFAULT_SCOPES = {
    PrincipalKind.SERVICE: "check requests:*",
    PrincipalKind.PERSON: "subjects:* grants:* objections:* requests:*",
    PrincipalKind.ORGANISATION: "subjects:* grants:* objections:* requests:*",
    PrincipalKind.ATTESTER: "subjects:*",
    PrincipalKind.REVIEWER: "subjects:* reviews:*",
    PrincipalKind.REGULATOR: "orders:* audit:*",
    PrincipalKind.AUDITOR: "orders:read audit:*",
    PrincipalKind.OPERATOR: "*",
}
_MOST_HOURS = 24 * 366


class _Made(NamedTuple):
    principal: Principal
    credential: Credential
    token: str


@app.command("create")
def create(
    *,
    service: Annotated[str | None, typer.Option(help="For this AI service.")] = None,
    person: Annotated[str | None, typer.Option(help="For this person's account.")] = None,
    organisation: Annotated[str | None, typer.Option(help="For this organisation.")] = None,
    attester: Annotated[
        str | None, typer.Option(help="For who attests identities, deaths, classes and mandates.")
    ] = None,
    reviewer: Annotated[str | None, typer.Option(help="For this reviewer.")] = None,
    regulator: Annotated[str | None, typer.Option(help="For this authority.")] = None,
    auditor: Annotated[str | None, typer.Option(help="For this auditor.")] = None,
    operator: Annotated[bool, typer.Option("--operator", help="For yourself.")] = False,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it allows; may be repeated, and `grants:*` means all of grants. A service"
            " gets check and requests, a person or organisation subjects, grants, objections and"
            " requests, an attester subjects, a reviewer subjects and reviews, a regulator orders"
            " and audit, an auditor audit and to read orders, the operator everything.",
        ),
    ] = None,
    ial: Annotated[
        int,
        typer.Option(
            min=0, max=3, help="How well you identified them (NIST SP 800-63A); 2 signs grants."
        ),
    ] = 0,
    tier: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2,
            help="How far a service is trusted: 0 registered, 1 verified, 2 under contract. Below"
            " 2 it learns nothing that depends on a match, but a permission.",
        ),
    ] = None,
    supports: Annotated[
        list[ObligationCode] | None,
        typer.Option(help="A duty a new service can fulfil; may be repeated. Said once, for good."),
    ] = None,
    hours: Annotated[int, typer.Option(min=1, max=_MOST_HOURS, help="How long it holds.")] = 24,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Make an access token, and the account it is for if there is none yet.

    The token alone goes to standard output. It is not kept: who loses it makes another.

    For example:

        TOKEN=$(likeness token create --service studio --tier 2)

        likeness token create --person anna --ial 2 --hours 8

        likeness token create --attester "Registry office"
    """
    kind, handle = _whose(
        {
            PrincipalKind.SERVICE: service,
            PrincipalKind.PERSON: person,
            PrincipalKind.ORGANISATION: organisation,
            PrincipalKind.ATTESTER: attester,
            PrincipalKind.REVIEWER: reviewer,
            PrincipalKind.REGULATOR: regulator,
            PrincipalKind.AUDITOR: auditor,
            PrincipalKind.OPERATOR: "operator" if operator else None,
        }
    )
    if tier is not None and kind is not PrincipalKind.SERVICE:
        raise Failed("Only a service has a tier: leave --tier out, or give --service.", USAGE)
    if supports and kind is not PrincipalKind.SERVICE:
        raise Failed("Only a service fulfils duties: leave --supports out.", USAGE)
    scopes = scopes_of(scope or _DEFAULT_SCOPES[kind].split())
    lifetime = timedelta(hours=hours)

    async def work(installation: Installation) -> _Made:
        async with installation.operator.writing() as session:
            principal = await account_for(session, kind, handle, frozenset(supports or ()))
            if tier is not None:
                await _set_tier(session, principal, tier)
            now = datetime.now(UTC)
            credential = await principals.issue(
                session,
                principal_id=principal.id,
                scopes=scopes,
                ial=ial,
                expires_at=now + lifetime,
            )
        token = mint_access(
            installation.keys,
            issuer=installation.settings.issuer,
            principal_id=principal.id,
            credential_id=credential.id,
            client_id=str(principal.id),
            scopes=scopes,
            ial=ial,
            lifetime=lifetime,
            now=now,
        )
        return _Made(principal, credential, token)

    _show(run(work, data_dir=data_dir, create=True))


def _show(made: _Made) -> None:
    principal, credential = made.principal, made.credential
    note(
        f"A token for {principal.handle} ({principal.kind}), good until"
        f" {credential.expires_at:%Y-%m-%d %H:%M} UTC. It allows: {', '.join(credential.scopes)}."
        f" Revoke it with: likeness token revoke {credential.id}"
    )
    document = {
        "token": made.token,
        "principalId": principal.id,
        "credentialId": credential.id,
        "scopes": credential.scopes,
        "ial": credential.ial,
        "expiresAt": credential.expires_at,
    }
    result(document, lambda: line(made.token))


@app.command("secret")
def secret(
    *,
    service: Annotated[str, typer.Option(help="The AI service it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What its tokens may allow, as of `token create`; may be repeated."),
    ] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Make a client secret, with which a service fetches tokens of 15 minutes at /oauth/token.

    The secret alone goes to standard output. It is not kept: who loses it makes another, and
    revokes the lost one with `likeness token revoke`.

    For example:

        SECRET=$(likeness token secret --service studio)
    """
    scopes = scopes_of(scope or _DEFAULT_SCOPES[PrincipalKind.SERVICE].split())

    async def work(installation: Installation) -> tuple[Principal, client_secrets.Made]:
        async with installation.operator.writing() as session:
            principal = await account_for(session, PrincipalKind.SERVICE, service)
            made = await client_secrets.make(
                session, principal_id=principal.id, scopes=scopes, made_by=OPERATOR_ID
            )
        return principal, made

    principal, made = run(work, data_dir=data_dir)
    note(
        f"A secret of {principal.handle}, client id {principal.id}, good until revoked with:"
        f" likeness token revoke {made.id}"
    )
    document = {
        "clientId": principal.id,
        "clientSecret": made.secret,
        "secretId": made.id,
        "scopes": sorted(scopes),
    }
    result(document, lambda: line(made.secret))


@app.command("revoke")
def revoke(
    credential_id: Annotated[
        str, typer.Argument(help="Of a token or a client secret, as its making said.")
    ],
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """End a token or a client secret. Nothing new begins with it; again changes nothing.

    For example:

        likeness token revoke 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10 --reason "laptop lost"
    """
    wanted = identifier(credential_id, "token")

    async def work(installation: Installation) -> None:
        async with installation.operator.writing() as session:
            if await client_secrets.exists(session, wanted):
                await client_secrets.revoke(
                    session, secret_id=wanted, actor_id=OPERATOR_ID, reason=reason
                )
            else:
                await principals.revoke_credential(
                    session, credential_id=wanted, actor_id=OPERATOR_ID, reason=reason
                )

    run(work, data_dir=data_dir)
    result({"credentialId": wanted, "revoked": True}, lambda: line(f"Revoked {wanted}."))


def _whose(given: Mapping[PrincipalKind, str | None]) -> tuple[PrincipalKind, str]:
    """The one account that was named."""
    found = [(kind, handle) for kind, handle in given.items() if handle is not None]
    if len(found) != 1:
        names = ", ".join(f"--{kind.lower()}" for kind in given)
        raise Failed(f"Say whose token: exactly one of {names}.", USAGE)
    return found[0]


def scopes_of(words: Collection[str]) -> frozenset[Scope]:
    """The scopes these words name; `*` and `grants:*` name several."""
    found: set[Scope] = set()
    for word in words:
        start = word.removesuffix("*")
        matching = {
            one for one in Scope if one == word or (start != word and one.startswith(start))
        }
        if not matching:
            raise Failed(f"There is no scope {word}. Scopes: {', '.join(Scope)}.", USAGE)
        found |= matching
    return frozenset(found)


async def account_for(
    session: WriteSession,
    kind: PrincipalKind,
    handle: str,
    supports: frozenset[ObligationCode] = frozenset(),
) -> Principal:
    """The account of this kind and name, opened now if there is none."""
    found = await principals.by_handle(session, principals.checked_handle(handle))
    if found is not None:
        if found.kind != kind:
            raise ConflictError(f"The account {found.handle} is a {found.kind}, not a {kind}.")
        if supports and supports != await _duties(session, found.id):
            raise ConflictError(
                f"{found.handle} was registered with other duties than these; they are said once."
                " Leave --supports out."
            )
        return found
    note(f"Opening an account for {handle} ({kind}).")
    if kind is not PrincipalKind.SERVICE:
        return await principals.register(session, kind=kind, handle=handle)
    service = await services.register(
        session,
        service_id=new_id(),
        owner_id=OPERATOR_ID,
        name=handle,
        supported_obligations=supports,
    )
    return await principals.get(session, service.id)


async def _duties(session: WriteSession, service_id: UUID) -> frozenset[ObligationCode]:
    return frozenset((await services.mine(session, service_id)).supported_obligations)


async def _set_tier(session: WriteSession, service: Principal, tier: int) -> None:
    standing = (await services.standings(session, [service.id]))[service.id]
    if standing.tier != tier:
        await services.set_tier(session, service_id=service.id, tier=tier, actor_id=OPERATOR_ID)
