"""A person with a registered picture, and a service that asks about it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests import acts
from tests.conftest import Account, Execute, Json

SUBJECT = """
query ($id: ID!) { subject(id: $id) { classes diedOn domicileAtDeath residence
  protections { kind stands } representatives { role verified } } }
"""


class Stage:
    """A person with a registered picture and a grant to the service."""

    def __init__(self, execute: Execute, owner: Account, service: Account) -> None:
        self.execute, self.owner, self.service = execute, owner, service
        self.subject, self.hash = "", acts.random_hash()

    async def stand(self, **person: Any) -> "Stage":
        self.subject = await acts.subject(self.execute, self.owner, **person)
        await acts.asset(self.execute, self.owner, [self.subject], self.hash)
        return self

    async def grant(self, **more: Any) -> str:
        return await acts.grant(self.execute, self.owner, self.subject, self.service, **more)

    async def proposed(self, **more: Any) -> str:
        given = {
            "subjectId": self.subject,
            "scope": {"modalities": ["FACE"], "uses": ["GENERATE_IMAGE"], "purposes": ["FILM_TV"]},
            "endsAt": (datetime.now(UTC) + timedelta(days=300)).isoformat(),
            "written": True,
            "separate": True,
            **more,
        }
        made = await self.execute(self.owner, acts.PROPOSE, input=given)
        id: str = made["proposeGrant"]["grant"]["id"]
        return id

    async def ask(self, *places: str, **more: Any) -> tuple[str, set[str]]:
        asked = acts.question(self.hash, territories=list(places), **more)
        decision = await acts.check(self.execute, self.service, asked)
        return decision["outcome"], acts.codes(decision) - {"ASSET_MATCH"}

    async def seen(self, by: Account | None = None) -> Json:
        shown: Json = (await self.execute(by or self.owner, SUBJECT, id=self.subject))["subject"]
        return shown
