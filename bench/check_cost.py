"""What a check costs beside 100,000 references, by picture hash or by face, and a cold start.

    python bench/check_cost.py --references 100000
    python bench/check_cost.py --templates 100000

CPU is that of the API process and of PostgreSQL's processes, from /proc (Linux), without the
client's. Wall includes a Python client on the same machine. References are pictures of 50,000
people; with `--templates` there are faces of so many people instead, and few pictures, so that the
same lines show a check by hash beside one by face. A permitted face is claimed. Exits with 1 above
a target: 6 CPU ms for one check at a time by hash over GraphQL (both together), 350 MiB, 3 CPU s
from start to /readyz. With `--templates` the figures are told and fail nothing.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import cpu
import numpy as np
from asking import CHECKS, Client, Json, face_question, question
from filling import Filled, face_near, faces, fill, neighbour, stranger
from stage import Api, Stage
from telling import Progress, parser_of, percentile, sized, table, verdict

CPU_MS, MEMORY_MIB, COLD_SECONDS = 6.0, 350.0, 3.0
BATCH = 64
GRANTED = 64
PER_PERSON = 2
NEAR = 0.99  # a cosine that is STRONG for everybody

BY_FACE = "GraphQL, by face, permitted, one at a time"
BATCH_BY_FACE = f"checkConsents by face, {BATCH} in a request"

Ask = Callable[[Client], Awaitable[object]]
Make = Callable[[], Json]


@dataclass(frozen=True, slots=True)
class Figures:
    """One line of the table; milliseconds a check, wall a request."""

    api_ms: float
    postgres_ms: float
    p50_ms: float
    p95_ms: float
    a_second: float


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, help="checks a line  [default: 1,000]")
    parser.add_argument("--references", type=int, help="on record  [default: 100,000]")
    parser.add_argument("--templates", type=int, help="faces on record instead of pictures")
    given = sized(parser, n=1000, quick=100, long=5000)
    references = given.references or (10_000 if given.quick else 100_000)
    with Stage() as stage:
        began = time.monotonic()
        filled = _filled(stage, references, given.templates or 0, given.seed)
        held = f"{len(filled.hashes):,} pictures and {len(filled.faces):,} templates"
        print(f"{held} of {len(filled.people):,} people made in {time.monotonic() - began:.1f} s")
        cold, api = _cold_start(stage)
        after_start = cpu.resident_mib(api.pid)
        lines = asyncio.run(_measure(stage, api, _plan(filled, given.seed), given.n))
        memory = cpu.resident_mib(api.pid)
    _print(lines)
    print(f"memory of the API process: {after_start:.0f} MiB at start, {memory:.0f} MiB at the end")
    first, cold_text = next(iter(lines.values())), _cold_text(cold)
    one = first.api_ms + first.postgres_ms
    limits = f"{memory:.0f} MiB (<= {MEMORY_MIB:g}), {cold_text}"
    if given.templates:
        faces_line, batch_line = (
            lines[name].api_ms + lines[name].postgres_ms for name in (BY_FACE, BATCH_BY_FACE)
        )
        return verdict(
            holds=True,
            text=f"beside {given.templates:,} templates {faces_line:.2f} CPU ms a check by face,"
            f" {batch_line:.2f} in batches of {BATCH}; {one:.2f} by hash; {limits}",
        )
    holds = one <= CPU_MS and memory <= MEMORY_MIB and cold["cpu"] <= COLD_SECONDS
    return verdict(
        holds=holds,
        text=f"{one:.2f} CPU ms a check ({first.api_ms:.2f} API, {first.postgres_ms:.2f}"
        f" PostgreSQL; <= {CPU_MS:g}), {limits}",
    )


def _filled(stage: Stage, references: int, templates: int, seed: int) -> Filled:
    """Two pictures of everybody; or one face of everybody, and pictures of who gave a grant."""
    if not templates:
        people = max(GRANTED, references // PER_PERSON)
        return fill(stage, people=people, per_person=PER_PERSON, granted=GRANTED, seed=seed)
    return fill(
        stage,
        people=max(GRANTED, templates),
        per_person=PER_PERSON,
        pictured=GRANTED,
        granted=GRANTED,
        seed=seed,
        faces_per_person=1,
    )


def _cold_text(cold: dict[str, float]) -> str:
    return (
        f"cold start {cold['cpu']:.1f} CPU s (<= {COLD_SECONDS:g}), {cold['beyond']:.1f} s"
        f" (PostgreSQL's own {cold['postgres']:.1f} s)"
    )


def _cold_start(stage: Stage) -> tuple[dict[str, float], Api]:
    """Both again from nothing: PostgreSQL, timed alone, then an API process beside it."""
    stage.postgres.stop()
    began = time.monotonic()
    stage.postgres.start()
    postgres = time.monotonic() - began
    postmaster = stage.postgres.pid
    assert postmaster is not None
    before = cpu.tree_seconds(postmaster)
    api = stage.prepared()
    api.start()
    beyond = api.wait_until_ready()
    used, reading = cpu.seconds(api.pid), cpu.tree_seconds(postmaster) - before
    print(
        f"cold start: PostgreSQL {postgres:.2f} s; API process {beyond:.2f} s ({used:.2f} CPU s,"
        f" and {reading:.2f} of PostgreSQL)"
    )
    return {"postgres": postgres, "beyond": beyond, "cpu": used + reading}, api


Plan = list[tuple[str, Ask, int, int]]  # name, what, how many at once, checks in each


def _plan(filled: Filled, seed: int) -> Plan:
    rng = np.random.default_rng(seed)

    def permitted() -> Json:
        at = int(rng.integers(GRANTED * PER_PERSON))
        return question(neighbour(filled.hashes[at], 10, rng))

    def unknown() -> Json:
        return question(stranger())

    def permitted_face() -> Json:
        at = int(rng.integers(GRANTED))
        return face_question(face_near(filled.faces[at], NEAR, rng), filled.people[at].id)

    def unknown_face() -> Json:
        return face_question(faces(1, rng)[0])

    def at_once(name: str, ask: Callable[[Make], Ask], make: Make) -> Plan:
        return [(f"{name}, {count} at once", ask(make), count, 1) for count in (16, 64)]

    pictures: Plan = [
        ("GraphQL, permitted, one at a time", _graphql(permitted), 1, 1),
        ("GraphQL, unknown, one at a time", _graphql(unknown, "UNKNOWN"), 1, 1),
        *at_once("GraphQL, permitted", _graphql, permitted),
    ]
    batch: Plan = [(f"checkConsents, {BATCH} in a request", _batch(permitted), 1, BATCH)]
    if not len(filled.faces):
        rest: Plan = [("/v1/check, permitted, one at a time", _rest(permitted), 1, 1)]
        return pictures + rest + at_once("/v1/check, permitted", _rest, permitted) + batch
    return [
        *(pictures + batch),
        (BY_FACE, _graphql(permitted_face), 1, 1),
        (BY_FACE.replace("permitted", "unknown"), _graphql(unknown_face, "UNKNOWN"), 1, 1),
        *at_once("GraphQL, by face, permitted", _graphql, permitted_face),
        (BATCH_BY_FACE, _batch(permitted_face), 1, BATCH),
    ]


def _graphql(make: Make, outcome: str = "PERMITTED") -> Ask:
    async def ask(client: Client) -> None:
        decision = await client.check(make())
        assert decision["outcome"] == outcome, decision

    return ask


def _rest(make: Make) -> Ask:
    async def ask(client: Client) -> None:
        decision = await client.post("/v1/check", make())
        assert decision["outcome"] == "PERMITTED", decision

    return ask


def _batch(make: Make) -> Ask:
    async def ask(client: Client) -> None:
        decisions = await client.run(CHECKS, inputs=[make() for _ in range(BATCH)])
        assert all(one["outcome"] == "PERMITTED" for one in decisions), decisions

    return ask


async def _measure(stage: Stage, api: Api, plan: Plan, n: int) -> dict[str, Figures]:
    postmaster = stage.postgres.pid
    assert postmaster is not None
    lines, progress = {}, Progress("checks", len(plan) * n)
    async with Client(api, stage.service) as client:
        for name, ask, at_once, size in plan:
            await _rounds(client, ask, max(1, min(50, n) // size), at_once)  # warm
            rounds = max(1, n // size)
            before = (cpu.seconds(api.pid), cpu.tree_seconds(postmaster), time.monotonic())
            walls = await _rounds(client, ask, rounds, at_once)
            after = (cpu.seconds(api.pid), cpu.tree_seconds(postmaster), time.monotonic())
            took = [end - begin for begin, end in zip(before, after, strict=True)]
            lines[name] = _figures(took, walls, rounds * size)
            progress.step(n)
    progress.end()
    return lines


def _figures(took: Sequence[float], walls: Sequence[float], checks: int) -> Figures:
    return Figures(
        took[0] * 1000 / checks,
        took[1] * 1000 / checks,
        percentile(walls, 0.5) * 1000,
        percentile(walls, 0.95) * 1000,
        checks / took[2],
    )


async def _rounds(client: Client, ask: Ask, rounds: int, at_once: int) -> list[float]:
    """Wall seconds of each request, `at_once` of them always under way."""
    walls, left = list[float](), iter(range(rounds))

    async def work() -> None:
        for _ in left:
            began = time.monotonic()
            await ask(client)
            walls.append(time.monotonic() - began)

    await asyncio.gather(*(work() for _ in range(at_once)))
    return walls


def _print(lines: dict[str, Figures]) -> None:
    heads: Sequence[str] = (
        *("CPU ms a check", "API", "PostgreSQL", "together"),
        *("wall p50 ms", "p95", "checks/s"),
    )
    table(
        heads,
        [
            (
                *(name, one.api_ms, one.postgres_ms, one.api_ms + one.postgres_ms),
                *(one.p50_ms, one.p95_ms, f"{one.a_second:.0f}"),
            )
            for name, one in lines.items()
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
