"""An HTTP server of this machine that takes webhooks and answers as it is told."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

WAIT_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Received:
    """One request that came in."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Where it listens, and what came."""

    port: int = 0
    answers: list[bytes] = field(default_factory=list)  # the first ones; afterwards 204
    queue: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def next(self) -> Received:
        """The next request, as soon as it is there."""
        return await asyncio.wait_for(self.queue.get(), WAIT_SECONDS)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.rstrip("\r\n").split("\r\n")
        headers = {}
        for one in rest:
            name, _, value = one.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        answer = self.answers.pop(0) if self.answers else b"HTTP/1.1 204 No Content\r\n\r\n"
        writer.write(answer)
        await writer.drain()
        writer.close()
        await self.queue.put(Received(line, headers, body))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another task brings about; TimeoutError if it does not."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    """A receiver that listens for as long as the block lasts."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
