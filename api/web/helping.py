"""Urgent help: whom to call, and by when others must act, where somebody lives."""

from starlette.responses import Response

from api.web.visits import Visit
from registry.policy.help import help_for, territories
from registry.policy.territories import WORLD

_LONGEST = 20


async def show(visit: Visit) -> Response:
    """`GET /help`: for a territory, or for everywhere."""
    asked = visit.request.query_params
    territory = asked.get("territory", "")[:_LONGEST] or WORLD
    young = "young" in asked
    packs = visit.state.checker.packs
    found = help_for(packs, territory, minor=young)
    return visit.render(
        "help.html",
        found=found,
        young=young,
        choices=territories(packs),
        chosen="territory" in asked,
    )
