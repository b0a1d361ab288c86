"""The parts of a running server: opened in the background, opened again if the database was away.

Until they are open, and whenever they are not, requests are answered 503 with Retry-After.
"""

import asyncio
import logging
from contextlib import AsyncExitStack, suppress

from api.auth import Authenticator
from api.state import State
from api.uploads import UploadBudget
from registry import decisions, errands, idempotency, probes, schema, throttles, upkeep
from registry.away import away
from registry.checks.checker import Checker
from registry.checks.record import Evidence
from registry.database import APP_ROLE, Database, create_engine
from registry.encoder_set import EncoderSet
from registry.encoders.media import MediaWorkers
from registry.encoders.models import Models
from registry.errors import SetupError, UnavailableError
from registry.installation import Installation, check_pool, opened
from registry.policy.shelf import load_packs
from registry.principals import OPERATOR
from registry.prompt_index import PromptIndex
from registry.settings import Settings

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 5.0
_HOUSEKEEPING_SECONDS = 60.0
_HOURLY = 60  # rounds of housekeeping
_PARTITIONS_EVERY = 24 * _HOURLY


class Runtime:
    """Opens the installation, holds it, and closes it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.failure: SetupError | None = None
        self._state: State | None = None
        self._authenticator: Authenticator | None = None
        self._task: asyncio.Task[None] | None = None
        self.opened = asyncio.Event()

    @property
    def state(self) -> State:
        """The open parts, or UnavailableError."""
        if self._state is None:
            raise UnavailableError("The registry is not ready yet.", retry_after=1)
        return self._state

    @property
    def authenticator(self) -> Authenticator:
        """Who checks tokens, or UnavailableError."""
        if self._authenticator is None:
            raise UnavailableError("The registry is not ready yet.", retry_after=1)
        return self._authenticator

    async def start(self) -> None:
        """Begin to open; `opened` is set once that has succeeded or failed for good."""
        self._task = asyncio.create_task(self._run(), name="runtime")

    async def stop(self) -> None:
        """Close everything."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        pause = 0.25
        while True:
            try:
                async with AsyncExitStack() as stack:
                    installation = await self._open(stack)
                    self.opened.set()
                    await self._keep_house(installation)
            except UnavailableError as error:
                logger.warning("%s Trying again.", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            except SetupError as error:
                self._fail(error)
                return
            except Exception:
                logger.exception("The registry does not open.")
                self._fail(SetupError("The registry does not open; the log says why."))
                return

    def _fail(self, error: SetupError) -> None:
        self.failure = error
        self.opened.set()

    async def _open(self, stack: AsyncExitStack) -> Installation:
        settings = self.settings
        packs = load_packs(settings.packs_dir)
        encoders = EncoderSet.load(settings.encoders_file)
        installation = await stack.enter_async_context(opened(settings, supervise=True))
        with away():
            pool = await check_pool(installation)
        stack.push_async_callback(pool.close)
        evidence = Evidence(settings.issuer, settings.log_origin, installation.keys)
        checker = Checker(pool, packs=packs, encoders=encoders, evidence=evidence)
        await checker.start()
        stack.push_async_callback(checker.stop)
        media = MediaWorkers(
            settings.media_workers,
            settings.media_seconds,
            models_dir=settings.models_dir,
            encoders_file=settings.encoders_file,
        )
        stack.push_async_callback(media.close)
        stack.push_async_callback(_stopped, asyncio.create_task(_warmed(media), name="warm-up"))
        self._state = State(
            settings,
            installation.keys,
            installation.db,
            checker,
            media,
            UploadBudget(),
            missing_models=(await asyncio.to_thread(Models.open, settings.models_dir)).missing,
        )
        reading = _read_names(self._state.prompts, installation.operator)
        stack.push_async_callback(_stopped, asyncio.create_task(reading, name="names"))
        for why in self._state.missing_models.values():
            logger.warning("%s", why)
        self._authenticator = Authenticator(
            installation.db, installation.keys, issuer=settings.issuer
        )
        stack.callback(self._forget)
        # Connections of their own: many webhooks at once take none from requests.
        engine = create_engine(installation.login_url, role=APP_ROLE, size=errands.CONNECTIONS)
        stack.push_async_callback(engine.dispose)
        running = errands.run(
            Database(engine, OPERATOR), installation.keys, private=settings.webhook_private
        )
        stack.push_async_callback(_stopped, asyncio.create_task(running, name="errands"))
        return installation

    def _forget(self) -> None:
        self._state = self._authenticator = None

    async def _keep_house(self, installation: Installation) -> None:
        """Drop what has expired, for as long as the server runs."""
        rounds = 0
        while True:
            await asyncio.sleep(_HOUSEKEEPING_SECONDS)
            rounds += 1
            try:
                async with installation.operator.writing() as session:
                    await probes.forget_expired(session)
                    await idempotency.forget_old(session)
                    await decisions.forget_old_nonces(session)
                    await throttles.forget_old(session)
                await upkeep.run(
                    installation.operator,
                    installation.keys,
                    self.state.checker.packs,
                    hourly=rounds % _HOURLY == 1,  # people come of age at midnight somewhere
                )
                if rounds % _PARTITIONS_EVERY == 0:
                    await schema.upgrade(installation.admin_url, installation.login_url)
            except UnavailableError as error:
                logger.warning("Housekeeping waits: %s", error)
            except Exception:
                logger.exception("Housekeeping failed; it is tried again.")


async def _warmed(media: MediaWorkers) -> None:
    """The first upload need not wait for the models to be loaded."""
    with suppress(UnavailableError):  # the log says why; uploads are told
        await media.warm()


async def _read_names(prompts: PromptIndex, operator: Database) -> None:
    """The first prompt need not wait for every name to be read."""
    try:
        async with operator.reading() as session:
            await prompts.refresh(session)
    except UnavailableError as error:
        logger.warning("The names of figures are read when they are asked for: %s", error)


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
