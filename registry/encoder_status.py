"""How many people each encoder knows: what must be zero before an encoder may be given up."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from registry.database import ReadSession
from registry.encoder_set import EncoderSet
from registry.policy.vocabulary import Modality
from registry.templates import Template, TemplateEvent


@dataclass(frozen=True, slots=True)
class Known:
    """One encoder: how many people have a template of it, and how many of no active encoder."""

    encoder: str
    modality: Modality
    active: bool
    in_use: bool
    people: int
    only: int


async def status(session: ReadSession, encoders: EncoderSet) -> list[Known]:
    """Every encoder in use, and every other that somebody has a template of."""
    found = {
        (one.modality, one.id): Known(
            one.id, one.modality, encoders.is_active(one.id), in_use=True, people=0, only=0
        )
        for one in encoders.by_id.values()
    }
    for modality, active in encoders.active.items():
        known = aliased(Template)
        by_active = select(known.id).where(
            known.subject_id == Template.subject_id,
            known.modality == modality,
            known.encoder == active,
            ~select(TemplateEvent.id).where(TemplateEvent.template_id == known.id).exists(),
        )
        rows = await session.execute(
            select(
                Template.encoder,
                func.count(Template.subject_id.distinct()),
                func.count(Template.subject_id.distinct()).filter(~by_active.exists()),
            )
            .where(
                Template.modality == modality,
                ~select(TemplateEvent.id).where(TemplateEvent.template_id == Template.id).exists(),
            )
            .group_by(Template.encoder)
        )
        for encoder, people, only in rows:
            found[modality, encoder] = Known(
                encoder,
                modality,
                active=encoder == active,
                in_use=encoder in encoders.by_id,
                people=people,
                only=only,
            )
    return sorted(found.values(), key=lambda one: (one.modality, not one.active, one.encoder))
