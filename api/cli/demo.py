"""`likeness demo`: a real server, real pictures, real questions, and what each answer must be."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from api.cli.demonstration import (
    accounts,
    evidence,
    figures,
    folder,
    invitation,
    people,
    protected,
    scenes,
    souvenir,
)
from api.cli.demonstration.accounts import Accounts
from api.cli.demonstration.client import Client, RefusedError, Told
from api.cli.demonstration.evidence import Evidence
from api.cli.demonstration.figures import Cost, Figures
from api.cli.demonstration.pages import Pages
from api.cli.demonstration.people import Cast
from api.cli.demonstration.scene import Clients, Part
from api.cli.demonstration.server import LOG, Server, running
from api.cli.demonstration.souvenir import Souvenir
from api.cli.demonstration.table import Played, Screen
from api.cli.output import NO, Bar, Failed, failing, note, working
from registry.encoders import models
from registry.photos import photos
from registry.policy.vocabulary import Outcome
from registry.settings import PREFIX

ENGINE_OUTCOMES = frozenset(Outcome) - {Outcome.NOT_CLEARED}
PACKAGES = Path(".likeness/packages")
MODELS = Path(".likeness/models")


def demo(
    seed: Annotated[int, typer.Option(help="Another number gives another run.")] = 1,
    keep: Annotated[
        bool, typer.Option("--keep", help="Let the server run afterwards, until Ctrl-C.")
    ] = False,
    data_dir: Annotated[
        Path, typer.Option(help="Folder of the demonstration's own data; emptied first.")
    ] = folder.DATA_DIR,
    packages_dir: Annotated[
        Path, typer.Option(help="Folder of the packages with photographs and models; kept.")
    ] = PACKAGES,
    models_dir: Annotated[
        Path, typer.Option(help="Folder of the models; filled where it is not, and kept.")
    ] = MODELS,
) -> None:
    """Show the registry at work: people, consents, and checks of their pictures and voices.

    Starts a server of its own, asks it over HTTP, and compares every answer with what it must be.
    Who plays which part, how files are changed and what is asked follow from the seed. The models
    that recognise people are installed first, where they are not.
    Exit code 1 if any answer is another.

    Examples:
        likeness demo

        likeness demo --seed 7

        likeness demo --keep
    """
    _forget_settings()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # stops the server
    try:
        with failing():
            rng = random.Random(seed)  # noqa: S311  # a run that can be repeated
            _run(Screen(), rng, seed, _Folders(data_dir, packages_dir, models_dir), keep=keep)
    except RefusedError as error:
        raise Failed(f"{error} The server's log is {data_dir / LOG}.", NO) from error


def _forget_settings() -> None:
    """The demonstration's server and database are its own, whatever this shell is set to."""
    for name in [one for one in os.environ if one.startswith(PREFIX)]:
        del os.environ[name]


@dataclass(frozen=True, slots=True)
class _Folders:
    data: Path
    packages: Path
    models: Path


def _run(screen: Screen, rng: random.Random, seed: int, folders: _Folders, *, keep: bool) -> None:
    installed = _install(folders)
    with working("Fetching the photographs"):
        found = photos(folders.packages)
    folder.prepare(folders.data)
    screen.heading(f"Likeness Registry: demonstration {seed}")
    size = sum(one.bytes for one in installed) / 2**20
    screen.say(f"{len(installed)} models, {size:.0f} MiB, are installed in {folders.models}.")
    screen.say(f"{len(found)} photographs from pinned packages, kept in {folders.packages}.")
    with ExitStack() as stack:
        with working("Starting the server"):
            server = stack.enter_context(running(folders.data, folders.models))
        screen.say(f"`likeness serve` runs as process {server.pid} at {server.url}.")
        shown = _perform(screen, server, folders.data, found, rng)
        if keep:
            invitation.invite(screen, shown.souvenir, server.url)
            _wait(screen)
    _prove(screen, shown.evidence, rng)
    if not keep:
        invitation.invite(screen, shown.souvenir, None)
    judge(screen, shown.played)


def _install(folders: _Folders) -> list[models.Installed]:
    """The models, made where they are not there; nothing is fetched where nothing is missing."""
    missing = bool(models.Models.open(folders.models).missing)
    if missing:
        note("The models of faces and voices are installed first, once: 200 MB are fetched.")
    with ExitStack() as shown:

        def report(step: str) -> None:
            shown.close()
            if missing:
                note(f"  {step}")
            shown.enter_context(working(step))

        return models.install(folders.models, folders.packages, report)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is left once the server has answered."""

    played: list[Played]
    evidence: Evidence
    souvenir: Souvenir


def _perform(
    screen: Screen, server: Server, data_dir: Path, photos: Mapping[str, bytes], rng: random.Random
) -> _Shown:
    """Everything that needs the server."""
    invited = asyncio.run(accounts.open_accounts(data_dir))
    with _clients(server, invited) as clients:
        with working("Registering people, pictures, voices and consents"):
            cast = people.assemble(clients.agency, invited, photos, rng)
            known = protected.assemble(clients, invited, photos)
        _introduce(screen, cast)
        pages = Pages(server.url, invited)
        played = _play(screen, scenes.parts(clients, cast, known, pages, rng))
        decisions = [one.told.decision for one in played if one.told.decision is not None]
        kept = evidence.collect(clients.studio, rng.choice(decisions))
        with working("Measuring"):
            measured = figures.measure(server, clients.studio, invited.studio, cast, rng)
    screen.heading("Figures")
    screen.pairs(_lines(server, measured, len(played)))
    left = souvenir.leave(data_dir, invited, pages.seeded, cast, rng)
    return _Shown(played, kept, left)


@contextmanager
def _clients(server: Server, invited: Accounts) -> Iterator[Clients]:
    with ExitStack() as stack:
        yield Clients(
            **{
                role: stack.enter_context(closing(Client(server.url, account.token)))
                for role, account in invited.by_role.items()
            },
            customer_id=str(invited.customer.id),
        )


def _introduce(screen: Screen, cast: Cast) -> None:
    terms = cast.terms
    screen.heading(
        "Who is who (photographs are real, voices synthetic, what is said of consent made up)"
    )
    screen.pairs(
        [
            ("Gave a grant, face and voice", cast.licensor.name),
            ("  techniques", ", ".join([*terms.uses, terms.voice_use])),
            ("  purposes", ", ".join(terms.purposes)),
            ("  territories", ", ".join(sorted(terms.territories))),
            ("  objects to", terms.objected),
            ("Gave one use, and withdraws", cast.limited.name),
            ("Gave a grant, and objects", cast.objector.name),
            ("On no record", cast.stranger.name),
            ("Protected by law", "a child, a singer who died in 2010, a poet of long ago"),
        ]
    )


def _play(screen: Screen, parts: Sequence[Part]) -> list[Played]:
    """Ask everything, in order, and show the answers of each part."""
    played: list[Played] = []
    total = sum(len(act) for part in parts for act in part.acts)
    with Bar("Asking") as bar:
        for part in parts:
            for act in part.acts:
                told: Told | None = None
                for scene in act:
                    told = scene.play(told)
                    played.append(Played(part.title, scene, told))
                    bar.update(len(played), total)
    for part in parts:
        screen.scenes(part.title, [one for one in played if one.part == part.title])
    return played


def _lines(server: Server, measured: Figures, scenes_played: int) -> list[tuple[str, str]]:
    burst = f"{figures.CHECKS} by hash, {figures.AT_A_TIME} at a time"
    wait = f"p50 {measured.p50_ms:.0f} ms, p95 {measured.p95_ms:.0f} ms"
    return [
        ("Checks made", f"{scenes_played} scenes, then {burst}"),
        ("References in the index", str(measured.references)),
        ("CPU per check", f"{_told(measured.cpu_ms, '.1f', 'ms')}, server and database together"),
        ("Wait per check", wait),
        ("Photo to decision", _cost(measured.photo)),
        (f"{figures.VOICE_SECONDS} s of voice to decision", _cost(measured.voice)),
        ("Time to start", f"{server.start_seconds:.1f} s, with a new database"),
        ("Peak memory of the server", _told(measured.peak_mib, ".0f", "MiB")),
        ("Peak memory of a media worker", _told(measured.worker_peak_mib, ".0f", "MiB")),
    ]


def _cost(cost: Cost) -> str:
    return f"{cost.wait_ms:.0f} ms; CPU {_told(cost.cpu_ms, '.0f', 'ms')}, workers included"


def _told(figure: float | None, form: str, unit: str) -> str:
    return "not told by this system" if figure is None else f"{figure:{form}} {unit}"


def _prove(screen: Screen, kept: Evidence, rng: random.Random) -> None:
    """Verify one answer with nothing but what was kept of it: the server is gone by now."""
    outcome, head = evidence.verified(kept)
    if not evidence.refuses_a_changed_token(kept, rng):
        raise Failed("A token with a changed character still verifies.", NO)
    screen.heading("Evidence, verified after the server had stopped")
    screen.pairs(
        [
            ("Decision token", f"signature holds; it says {outcome}"),
            ("Transparency log", f"on record in {head.origin}, a tree of {head.size} entries"),
            ("One character changed", "refused"),
        ]
    )


def _wait(screen: Screen) -> None:
    screen.say()
    screen.say("The server runs until Ctrl-C.")
    with suppress(KeyboardInterrupt):
        signal.pause()


def judge(screen: Screen, played: Sequence[Played]) -> None:
    """Say whether all went as it must; Failed if not."""
    missing = ENGINE_OUTCOMES - {one.told.outcome for one in played}
    wrong = [one for one in played if not one.held]
    screen.say()
    screen.failures(wrong)
    if wrong:
        raise Failed(f"{len(wrong)} of {len(played)} answers are not what they must be.", NO)
    if missing:
        raise Failed(f"No scene was answered {', '.join(sorted(missing))}.", NO)
    screen.good(f"All {len(played)} scenes were answered as they must be.")
