"""Assets in the schema: pictures registered by an upload or by a hash made elsewhere."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql.context import Info
from api.graphql.errors import Problem
from api.graphql.hashes import HashInput, hash_of
from api.graphql.paging import identifier
from api.graphql.permissions import requires
from api.graphql.subjects import Subject
from registry import assets, idempotency, probes, subjects
from registry.database import ReadSession
from registry.encoders.identity import IMAGE_HASH
from registry.errors import InvalidError, MediaError
from registry.keys import Keys
from registry.principals import Scope


@strawberry.type(description="A registered picture. Only a sealed perceptual hash of it is kept.")
class Asset:
    """A registered picture."""

    id: strawberry.ID
    encoder: str
    created_at: datetime

    @strawberry.field(graphql_type=list[Subject], description="Whom it shows.")
    @staticmethod
    async def subjects(asset: strawberry.Parent[assets.Asset], info: Info) -> list[subjects.Record]:
        """Whom it shows."""
        ids = await info.context.subjects_of_asset.load(asset.id) or []
        found = await info.context.subjects.load_many(ids)
        return [one for one in found if one is not None]


@strawberry.input(
    one_of=True, description="The picture: an upload's handle, or a hash you computed yourself."
)
class AssetSourceInput:
    """The picture: an upload's handle, or a hash you computed yourself."""

    media: strawberry.ID | None = strawberry.UNSET
    image_hash: HashInput | None = strawberry.UNSET


@strawberry.input(description="A picture to put on record, and whom it shows.")
class RegisterAssetInput:
    """A picture to put on record, and whom it shows."""

    subject_ids: list[strawberry.ID]
    source: AssetSourceInput
    idempotency_key: str | None = None


@strawberry.type(description="The picture is on record; the next check anywhere finds it.")
class AssetRegistered:
    """The picture is on record; the next check anywhere finds it."""

    asset: assets.Asset = strawberry.field(graphql_type=Asset)


RegisterAssetResult = Annotated[AssetRegistered | Problem, strawberry.union("RegisterAssetResult")]


def _named(source: AssetSourceInput) -> str:
    return f"hash {source.image_hash.hex}" if source.image_hash else f"media {source.media}"


async def _hash(session: ReadSession, source: AssetSourceInput, keys: Keys) -> bytes:
    if source.image_hash:
        return hash_of(source.image_hash)
    handle = identifier(str(source.media), "media handle", "media")
    upload = await probes.opened(session, handle, keys=keys)
    if upload.kind != "image":
        raise MediaError("That is no picture: register pictures, enrol recordings.", field="media")
    if not upload.usable:
        raise MediaError("The picture is too uniform to be recognised again.", field="media")
    if upload.encoder != IMAGE_HASH:
        raise InvalidError("This upload was read by another version: upload it again.")
    return upload.hashes[0]


@strawberry.type
class AssetMutation:
    """Mutation fields about assets."""

    @strawberry.mutation(
        extensions=[requires(Scope.SUBJECTS_WRITE)],
        description="Put a picture of your subjects on record.",
    )
    async def register_asset(self, info: Info, input: RegisterAssetInput) -> RegisterAssetResult:
        """Put a picture of your subjects on record."""
        context, owner_id = info.context, info.context.caller.actor.principal_id
        subject_ids = [identifier(one, "subject", "subjectIds") for one in input.subject_ids]
        async with context.db.writing() as session:
            asset_id, new = await idempotency.claim(
                session,
                principal_id=owner_id,
                operation="registerAsset",
                key=input.idempotency_key,
                request={"subjects": subject_ids, "source": _named(input.source)},
                keys=context.state.keys,
            )
            if new:
                image_hash = await _hash(session, input.source, context.state.keys)
                await assets.register(
                    session,
                    asset_id=asset_id,
                    owner_id=owner_id,
                    subject_ids=subject_ids,
                    encoder=IMAGE_HASH,
                    image_hash=image_hash,
                    keys=context.state.keys,
                )
            asset = await assets.mine(session, asset_id)
        return AssetRegistered(asset=asset)
