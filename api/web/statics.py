"""Styles, scripts and pictures of the pages: few, small, and kept by browsers for good."""

from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from api.web.rendering import STATIC, version
from registry.errors import NotFoundError

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FILES: Final = {one.name: one for one in STATIC.iterdir() if one.suffix in _TYPES}
_A_YEAR: Final = 365 * 86_400


async def static(request: Request) -> Response:
    """`GET /static/{name}`."""
    file = _FILES.get(request.path_params["name"])
    if file is None:
        raise NotFoundError("No such file.")
    address = version(file.name)
    tag = f'"{address.rpartition("=")[2]}"'
    # A script names the scripts it loads without their version: those are asked for again.
    # So is what another release of this server named: it is no more what that name stands for.
    exact = f"/static/{file.name}?{request.url.query}" == address
    kept = f"public, max-age={_A_YEAR}, immutable" if exact else "no-cache"
    headers = {"Cache-Control": kept, "ETag": tag}
    if tag in {one.strip() for one in request.headers.get("if-none-match", "").split(",")}:
        return Response(status_code=304, headers=headers)
    return FileResponse(file, media_type=_TYPES[file.suffix], headers=headers)
