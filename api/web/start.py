"""The start page: what the registry does, what it cannot do, and where to turn."""

from starlette.responses import Response

from api.web.visits import Visit


async def start(visit: Visit) -> Response:
    """`GET /`."""
    return visit.render("start.html")
