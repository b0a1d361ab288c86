"""What somebody complains of, in the schema: for those it concerns, and for whoever reviews it."""

from datetime import date

import strawberry

from registry import misuse
from registry.misuse import ComplaintKind


@strawberry.type(description="A file that was shown. The registry does not keep it.")
class SeenMedia:
    """A file that was shown."""

    kind: str = strawberry.field(description="image, video or audio.")
    sha256: str = strawberry.field(description="Of the file, hex.")


@strawberry.type(description="What somebody says was done with a voice or a face.")
class Misuse:
    """What somebody says was done with a voice or a face."""

    kinds: list[ComplaintKind]
    territory: str
    statement: str
    links: list[str]
    seen_on: date | None
    media: misuse.SeenMedia | None = strawberry.field(graphql_type=SeenMedia | None)

    @strawberry.field(description="Where it was seen, for example a platform.")
    @staticmethod
    async def where_seen(found: strawberry.Parent[misuse.Misuse]) -> str | None:
        """Where it was seen."""
        return found.place
