"""What is on record after the kills, held against what clients were told before them."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from asking import CONSISTENCY, INCLUSION, Client, Json
from stage import Api, Stage
from telling import Progress

from registry import receipts
from registry.errors import InvalidError
from registry.installation import opened
from registry.key_files import KeyRole
from registry.log import audit, checkpoint, merkle
from registry.log.checkpoint import Checkpoint, VerifierKey


@dataclass(slots=True)
class Write:
    """One acknowledged write: how to ask for it again, and what it made."""

    kind: str
    document: str
    input: Json
    answer: Json

    @property
    def made(self) -> str:
        """The id of what it made."""
        made = {"subject": "subject", "objection": "objection"}.get(self.kind)
        return str(self.answer["id"] if made is None else self.answer[made]["id"])


class Audit:
    """What is on record afterwards, held against what was acknowledged."""

    def __init__(
        self, stage: Stage, api: Api, writes: Sequence[Write], held: Mapping[int, str]
    ) -> None:
        self.stage, self.api, self.writes, self.held = stage, api, writes, held
        self.wrong: list[str] = []
        self.progress = Progress("audited", 2 * len(writes))

    async def run(self) -> list[str]:
        """A complaint for everything that is not as it was acknowledged."""
        async with (
            Client(self.api, self.stage.owner) as owner,
            Client(self.api, self.stage.service) as service,
        ):
            for write in self.writes:
                client = service if write.kind == "check" else owner
                again = Write(
                    write.kind,
                    write.document,
                    write.input,
                    await client.run(write.document, input=write.input),
                )
                if again.made != write.made:
                    self.wrong.append(f"{write.kind} {write.made} was made again: {again.made}")
                self.progress.step()
            try:
                await self._counts()
                await self._proofs(service)
            except InvalidError as error:
                self.wrong.append(f"the log does not hold: {error}")
        self.progress.end()
        return self.wrong

    async def _counts(self) -> None:
        made: dict[str, set[str]] = {"subject": set(), "objection": set(), "check": set()}
        for write in self.writes:
            made[write.kind].add(write.made)
        tables = {"subject": "subjects", "objection": "objections", "check": "decisions"}
        keys = [self._log_key()]
        held = {str(size): audit.read_held(note, keys) for size, note in self.held.items()}
        async with (
            opened(self.stage.settings, supervise=False) as installation,
            installation.operator.reading() as session,
        ):
            connection = await session.connection()
            for kind, name in tables.items():
                rows = await connection.exec_driver_sql(f"select id::text from {name}")  # noqa: S608  # ours
                self._compare(kind, made[kind], {row[0] for row in rows})
            rows = await connection.exec_driver_sql("select decision_id::text from log_leaves")
            self._compare("leaf", made["check"], {row[0] for row in rows})
            await audit.audit(session, verifier_keys=keys, held=held, progress=lambda *_: None)

    def _compare(self, kind: str, acknowledged: set[str], stored: set[str]) -> None:
        self.wrong += [f"{kind} {one} was lost" for one in acknowledged - stored]
        self.wrong += [f"{kind} {one} is on record twice" for one in stored - acknowledged]

    def _log_key(self) -> str:
        (key,) = self.stage.keys.public_keys(KeyRole.LOG).values()
        return str(VerifierKey(self.stage.settings.log_origin, key))

    async def _proofs(self, client: Client) -> None:
        note = await client.get("/log/checkpoint")
        jwks = orjson.loads(await client.get("/.well-known/jwks.json"))
        head = checkpoint.parse_and_verify(note, [self._log_key()])
        for write in self.writes:
            self.progress.step()
            if write.kind == "check":
                verified = receipts.verify_decision(write.answer["token"], jwks)
                proof = await client.run(INCLUSION, index=write.answer["logIndex"], size=head.size)
                receipts.verify_in_log(
                    verified.claims,
                    salt=bytes.fromhex(write.answer["salt"]),
                    proof=_hashes(proof),
                    checkpoint_note=note,
                    verifier_key=self._log_key(),
                )
        for kept in self.held.values():
            await self._consistent(client, kept, head)

    async def _consistent(self, client: Client, kept: str, head: Checkpoint) -> None:
        older = checkpoint.parse_and_verify(kept, [self._log_key()])
        proof = await client.run(CONSISTENCY, first=older.size, second=head.size)
        merkle.verify_consistency(
            first=older.size,
            second=head.size,
            first_root=older.root,
            second_root=head.root,
            proof=_hashes(proof),
        )


def _hashes(proof: Json) -> list[bytes]:
    return [base64.b64decode(one) for one in proof["hashes"]]
