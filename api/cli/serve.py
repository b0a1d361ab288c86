"""`likeness serve`: the server, in this process, until it is told to stop."""

import asyncio
import gc
import logging
import os
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
import uvloop

from api.cli.output import failing
from registry.errors import SetupError
from registry.settings import Settings

_STOP_SECONDS = 8


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks a free one.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the keys and the embedded database.")
    ] = None,
) -> None:
    """Serve the registry over HTTP.

    Without LIKENESS_DATABASE_URL it also runs its own PostgreSQL, whose data live in the data
    folder. A second `serve` on the same data folder is refused.

    Examples:
        likeness serve

        likeness serve --port 9000 --data-dir /srv/likeness

        LIKENESS_DATABASE_URL=postgresql://user:password@db/likeness likeness serve
    """
    # One thread each: several would fight for the cores that other requests need.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    given = {"host": host, "port": port, "data_dir": data_dir}
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with failing():
        settings = Settings.load(**{name: one for name, one in given.items() if one is not None})
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    from api.app import create_app  # noqa: PLC0415  # numpy reads the thread limits when imported
    from api.runtime import Runtime  # noqa: PLC0415  # the same

    listening = _listen(settings.host, settings.port)
    runtime = Runtime(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, runtime),
            host=settings.host,
            port=settings.port,
            http="httptools",
            lifespan="on",
            access_log=False,
            server_header=False,
            log_config=None,
            log_level="warning",
            timeout_graceful_shutdown=_STOP_SECONDS,
            limit_concurrency=2048,
            h11_max_incomplete_event_size=64 * 1024,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    opened = asyncio.create_task(runtime.opened.wait())
    await asyncio.wait({serving, opened}, return_when=asyncio.FIRST_COMPLETED)
    if opened.done() and runtime.failure is None and not serving.done():
        address = listening.getsockname()
        print(
            f"Likeness Registry serves http://{address[0]}:{address[1]}"
            " (GraphQL at /graphql). Stop it with Ctrl-C.",
            flush=True,
        )
        gc.collect()
        gc.freeze()  # what is loaded by now stays; collections need not look at it again
    if runtime.failure is not None:
        server.should_exit = True
    opened.cancel()
    await serving
    if runtime.failure is not None:
        raise runtime.failure


def _listen(host: str, port: int) -> socket.socket:
    """The socket to serve on, before anything else is started."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise SetupError(
            f"Cannot listen on {host}:{port} ({error.strerror or error}). Name another with --host"
            " or --port."
        ) from error
    return listening
