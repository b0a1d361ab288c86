"""`likeness enroll`: photographs and recordings of one person become samples."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from api.cli.output import AWAY, REFUSED, USAGE, AsJson, Bar, Failed, failure_of, result, table
from api.cli.session import Acting, Key, Owner, identifier, run_as
from api.cli.settings import DataDir
from registry import claims, enrolment, idempotency, samples, sampling, subjects
from registry.checks import judging
from registry.checks.references import References
from registry.encoder_set import EncoderSet
from registry.encoders.media import MediaEncoding, MediaWorkers
from registry.encoders.targets import Box
from registry.errors import InvalidError, RegistryError, TooLargeError
from registry.installation import Installation, check_pool
from registry.policy.vocabulary import ASSURED_IAL, Modality
from registry.samples import Judge, Judgement, Own, Sample, SampleState, Vectors
from registry.settings import Settings

_BOX_NUMBERS = 4
_MEANS = {
    SampleState.ENROLLED: "counts from the next check on",
    SampleState.IN_REVIEW: "waits: likeness review list",
    SampleState.REFUSED: "does not count",
    SampleState.RETIRED: "was taken back",
}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one file: a sample, or why not."""

    file: Path
    sample: Sample | None = None
    state: SampleState | None = None
    failure: Failed | None = None


@dataclass(frozen=True, slots=True)
class _Order:
    """What is asked for every file."""

    subject_id: UUID
    modality: Modality | None
    box: Box | None
    key: str | None


def enroll(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="The subject's id.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            exists=True, dir_okay=False, readable=True, help="Photographs, recordings or videos."
        ),
    ],
    *,
    modality: Annotated[
        Modality | None, typer.Option(help="What of a video: FACE or VOICE.")
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(metavar="X,Y,W,H", help="Chooses one of several faces, in pixels."),
    ] = None,
    owner: Owner = None,
    key: Key = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Enrol photographs and recordings of one person. Only sealed vectors of each are kept.

    Each file is a sample of its own: it joins, waits for you, or is refused, and the others go on.
    Three to five photographs from different days make a good template. Exit code 3: some were not
    enrolled.

    For example:

        likeness enroll 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10 portrait.jpg stage.jpg talk.wav

        likeness enroll 0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10 crew.jpg --box 310,80,120,120
    """
    order = _Order(identifier(subject, "subject"), modality, _box(box, files), key)

    async def work(acting: Acting) -> list[_Outcome]:
        async with acting.db.reading() as session:
            await subjects.mine(session, order.subject_id)
        settings = acting.installation.settings
        with Bar("Enrolling") as bar:
            async with media_workers(settings) as workers, _judge(acting.installation) as judge:
                done = []
                for file in files:
                    done.append(await _outcome(acting, order, file, workers, judge))
                    bar.update(len(done), len(files))
        return done

    outcomes = run_as(owner, work, data_dir=data_dir)
    result(
        {"samples": [_document(one) for one in outcomes]},
        lambda: table(["FILE", "SAMPLE", "STATE", ""], [_row(one) for one in outcomes]),
    )
    codes = {one.failure.exit_code for one in outcomes if one.failure is not None}
    if codes:
        raise typer.Exit(AWAY if AWAY in codes else REFUSED)


def _box(text: str | None, files: list[Path]) -> Box | None:
    if text is None:
        return None
    if len(files) > 1:
        raise Failed("A box is in one picture: enrol that one alone.", USAGE)
    numbers = text.split(",")
    if len(numbers) != _BOX_NUMBERS or not all(one.strip().isdecimal() for one in numbers):
        raise Failed("A box is four whole numbers: x,y,width,height.", USAGE)
    x, y, width, height = map(int, numbers)
    return Box(x, y, width, height)


@asynccontextmanager
async def media_workers(settings: Settings) -> AsyncIterator[MediaWorkers]:
    """One process that decodes and encodes media, ended with the block."""
    workers = MediaWorkers(
        1,
        settings.media_seconds,
        models_dir=settings.models_dir,
        encoders_file=settings.encoders_file,
    )
    try:
        yield workers
    finally:
        await workers.close()


@asynccontextmanager
async def _judge(installation: Installation) -> AsyncIterator[Judge]:
    """Everybody's templates in this process's memory, as the server holds them in its own."""
    encoders = EncoderSet.load(installation.settings.encoders_file)
    references = References(installation.keys, encoders)
    async with await check_pool(installation) as pool:
        async with pool.acquire() as connection:
            await references.load(connection)

        async def judge(
            subject_id: UUID, modality: Modality, vectors: Vectors, own: Own
        ) -> Judgement:
            async with pool.acquire() as connection:
                return await judging.judge(
                    connection,
                    references,
                    encoders,
                    subject_id=subject_id,
                    modality=modality,
                    vectors=vectors,
                    own=own,
                )

        yield judge


async def _outcome(
    acting: Acting, order: _Order, file: Path, workers: MediaWorkers, judge: Judge
) -> _Outcome:
    try:
        data = await asyncio.to_thread(
            read_media, file, acting.installation.settings.media_max_bytes
        )
        encoding = await workers.encode(data, enrolling=True)
        return await _enrol(acting, order, file, encoding, judge)
    except RegistryError as error:
        return _Outcome(file, failure=failure_of(error))


def read_media(file: Path, most: int) -> bytes:
    """The bytes of a file of at most so many."""
    if file.stat().st_size > most:
        raise TooLargeError(f"A file has at most {most} bytes.")
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidError(f"The file cannot be read: {error.strerror}.") from error


async def _enrol(
    acting: Acting, order: _Order, file: Path, encoding: MediaEncoding, judge: Judge
) -> _Outcome:
    installation, digest = acting.installation, encoding.sha256.hex()
    modality, vectors = sampling.sample_of(encoding, modality=order.modality, box=order.box)
    async with acting.db.writing() as session:
        sample_id, new = await idempotency.claim(
            session,
            principal_id=acting.id,
            operation="enrollSample",
            key=None if order.key is None else f"{order.key}:{digest}",
            request={"subject": order.subject_id, "media": digest, "modality": modality,
                     "box": order.box},
            keys=installation.keys,
        )  # fmt: skip
        claim = None
        if new:
            enrolled = await enrolment.enrol(
                session,
                sample_id=sample_id,
                subject_id=order.subject_id,
                modality=modality,
                vectors=vectors,
                enrolled_by=acting.id,
                ial=ASSURED_IAL,  # whoever runs commands on this machine answers for the samples
                judge=judge,
                daily=installation.settings.unverified_samples,
                keys=installation.keys,
            )
            claim = enrolled.claim
        sample = await samples.mine(session, sample_id)
        state = (await samples.states(session, [sample_id]))[sample_id]
    if claim is not None:
        async with installation.operator.writing() as session:
            await claims.dispute(session, claim, sample_id)
    return _Outcome(file, sample, state)


def _row(one: _Outcome) -> list[str]:
    if one.sample is None or one.state is None:
        return [str(one.file), "-", "-", str(one.failure)]
    return [str(one.file), str(one.sample.id), one.state, _MEANS[one.state]]


def _document(one: _Outcome) -> dict[str, object]:
    if one.sample is None:
        failure = one.failure
        code = None if failure is None else failure.code
        return {"file": one.file, "error": {"code": code, "message": str(failure)}}
    return {
        "file": one.file,
        "id": one.sample.id,
        "modality": one.sample.modality,
        "state": one.state,
    }
