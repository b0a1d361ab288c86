"""No acknowledged write is lost or doubled by kill -9 of the server or its PostgreSQL.

    python bench/kills.py --n 1000

Clients register subjects, file objections and ask for checks, each under a key (or nonce) of its
own, and ask again under it until they have an answer. Meanwhile `likeness serve` and its PostgreSQL
are killed in turns. Afterwards every write is asked for again under its key and must be the same
thing; the tables must hold exactly what was acknowledged; every decision's token, its proof of
inclusion and every checkpoint kept on the way must hold against the last one. Exits with 1 if not.
"""

import asyncio
import os
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cpu
import numpy as np
from asking import (
    CHECK,
    OBJECT,
    REGISTER_SUBJECT,
    AwayError,
    Client,
    DefectError,
    Json,
    question,
)
from filling import Hashes
from kept import Audit, Write
from stage import Api, Stage
from telling import Progress, parser_of, sized, table, verdict

KINDS = ("subject", "check", "objection", "check")
WORKERS = 8
VICTIMS = ("API", "PostgreSQL")
DEADLINE_SECONDS = 120.0
WRITABLE_SECONDS = {"API": 10.0, "PostgreSQL": 30.0}


@dataclass(slots=True)
class Kill:
    """Who was killed and when somebody could write again."""

    victim: str
    at: float
    writable_seconds: float | None = None


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, help="writes  [default: 1,000]")
    parser.add_argument("--kills", type=int, default=0, help="[default: 10; 2 with --quick]")
    given = sized(parser, n=1000, quick=100, long=5000)
    kills = given.kills or (2 if given.quick else 50 if given.long else 10)
    with Stage(supervised=True) as stage:
        api = stage.api()
        run = _Run(stage, api, given.n, kills, given.seed)
        asyncio.run(run.run())
        run.progress.end()
        wrong = asyncio.run(Audit(stage, api, run.writes, run.held).run())
        _show_defects(api.log)
    _print(run)
    slowest = {who: _slowest(run.kills, who) for who in VICTIMS}
    for complaint in wrong:
        print(f"  {complaint}")
    in_time = all(slowest[who] <= WRITABLE_SECONDS[who] for who in VICTIMS)
    return verdict(
        holds=not wrong and not run.defects and in_time,
        text=f"{len(wrong)} lost, doubled or unproved of {len(run.writes):,} writes over"
        f" {len(run.kills)} SIGKILLs; writable again after at most {slowest['API']:.1f} s (API)"
        f" and {slowest['PostgreSQL']:.1f} s (PostgreSQL); {run.defects} internal errors",
    )


def _show_defects(log: str) -> None:
    """What the server logged with its first internal error."""
    at = log.find("Internal error")
    if at >= 0:
        print(log[at : at + 12_000])


def _slowest(kills: Sequence["Kill"], victim: str) -> float:
    """Seconds after the worst kill of this victim; infinite if nobody could write again."""
    times = [one.writable_seconds or float("inf") for one in kills if one.victim == victim]
    return max(times, default=0.0)


def _print(run: "_Run") -> None:
    kinds = Counter(one.kind for one in run.writes)
    print(f"writes: {dict(kinds)}; asked again {run.again:,} times; {len(run.held)} heads kept")
    table(
        ("killed", "writable again after s"),
        [(one.victim, one.writable_seconds or "never") for one in run.kills],
    )


class _Run:
    """Writes and kills."""

    def __init__(self, stage: Stage, api: Api, n: int, kills: int, seed: int) -> None:
        self.stage, self.api, self.n = stage, api, n
        self.kill_at = [n * (at + 1) // (kills + 1) for at in range(kills)]
        self.rng = np.random.default_rng(seed)
        self.left: Iterator[int] = iter(range(n))
        self.progress = Progress("writes", n)
        self.writes: list[Write] = []
        self.kills: list[Kill] = []
        self.held: dict[int, str] = {}  # checkpoints by the size of their tree
        self.again = self.defects = 0
        self.acknowledged = asyncio.Event()

    async def run(self) -> None:
        async with (
            Client(self.api, self.stage.owner) as owner,
            Client(self.api, self.stage.service) as service,
        ):
            killing = asyncio.create_task(self._kill())
            await asyncio.gather(*(self._work(owner, service) for _ in range(WORKERS)))
            await killing

    async def _work(self, owner: Client, service: Client) -> None:
        subjects: list[str] = []
        for number in self.left:
            kind, key = KINDS[number % len(KINDS)], secrets.token_hex(12)
            client = service if kind == "check" else owner
            if kind == "check":
                image_hash: Hashes = self.rng.integers(0, 256, 32, np.uint8)
                claimed = subjects[-1:] and {"claimedSubject": subjects[-1]}
                asked = question(image_hash.tobytes().hex(), nonce=key)
                asked["persons"][0].update(claimed or {})
                write = await self._until_answered(client, kind, CHECK, asked)
                if number % 50 == 1:
                    await self._keep_head(client)
            elif kind == "objection" and subjects:
                asked = {"subjectId": subjects[-1], "idempotencyKey": key}
                write = await self._until_answered(client, kind, OBJECT, asked)
            else:
                asked = {"name": f"Person {key}", "idempotencyKey": key}
                write = await self._until_answered(client, "subject", REGISTER_SUBJECT, asked)
                subjects.append(write.made)
            self.writes.append(write)
            self.acknowledged.set()
            self.progress.step()

    async def _until_answered(self, client: Client, kind: str, document: str, asked: Json) -> Write:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            began = time.monotonic()
            try:
                answer = await client.run(document, input=asked)
            except (AwayError, DefectError) as error:
                self.again += 1
                self.defects += isinstance(error, DefectError)
                await asyncio.sleep(0.05)
                continue
            if "code" in answer:
                raise DefectError(f"{kind}: {answer}")
            for kill in self.kills:
                if kill.writable_seconds is None and began > kill.at:
                    kill.writable_seconds = time.monotonic() - kill.at
            return Write(kind, document, asked, answer)
        raise RuntimeError(f"No answer to a {kind} in {DEADLINE_SECONDS:g} s.")

    async def _keep_head(self, client: Client) -> None:
        try:
            note = await client.get("/log/checkpoint")
        except Exception:  # noqa: BLE001  # killed meanwhile; there will be others
            return
        self.held[int(note.split("\n")[1])] = note

    async def _kill(self) -> None:
        for number, count in enumerate(self.kill_at):
            while len(self.writes) < count:
                self.acknowledged.clear()
                await self.acknowledged.wait()
            victim = VICTIMS[number % len(VICTIMS)]
            kill = Kill(victim, time.monotonic())
            if victim == "API":
                self.api.kill()
                self.kills.append(kill)
                self.api.start()
            else:
                os.kill(cpu.postmaster(self.api.pid), signal.SIGKILL)
                self.kills.append(kill)
            while kill.writable_seconds is None:
                self.acknowledged.clear()
                await self.acknowledged.wait()


if __name__ == "__main__":
    sys.exit(main())
