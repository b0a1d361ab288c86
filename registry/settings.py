"""Every setting of the product, read once at start and passed down. Names begin with LIKENESS_."""

import os
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from registry.errors import SetupError

PREFIX = "LIKENESS_"


class Settings(BaseSettings):
    """What an operator may change. Each field says what it changes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    data_dir: Path = Field(
        default=Path(".likeness"),
        description="Folder of the keys and of the embedded database.",
    )
    database_url: str | None = Field(
        default=None,
        description="PostgreSQL >= 15 to use instead of the embedded one: postgresql://user:pw@host/db.",
    )
    admin_database_url: str | None = Field(
        default=None,
        description="The same database as the user that owns the schema; default: database_url.",
    )
    models_dir: Path = Field(
        default=Path(".likeness/models"),
        description="Folder of the face and voice models, filled by `likeness models install`.",
    )
    encoders_file: Path | None = Field(
        default=None,
        description="YAML file of face and voice encoders of your own (docs/guides/encoders.md).",
    )
    unverified_samples: int = Field(
        default=100,
        ge=1,
        description="Samples a day that an account known below IAL2 may enrol.",
    )
    cases_per_source: int = Field(
        default=20, ge=1, description="Cases a day that one network address may open."
    )
    cases_per_day: int = Field(
        default=5000, ge=1, description="Cases a day that may be opened altogether."
    )
    pin_tries_per_source: int = Field(
        default=300, ge=1, description="Case tokens a day that one network address may ask for."
    )
    recoveries_per_source: int = Field(
        default=20, ge=1, description="New PINs a day that one network address may ask for."
    )
    cooling_off_hours: int = Field(
        default=72,
        ge=0,
        le=24 * 365,
        description="How long a grant waits that is exclusive, long, or allows to train a model.",
    )
    host: str = Field(default="127.0.0.1", description="Address the server listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port the server listens on.")
    issuer: str = Field(
        default="http://127.0.0.1:8000",
        description="Public address of this registry: `iss` of its tokens, `aud` of access tokens.",
    )
    log_origin: str = Field(
        default="likeness.local/log",
        description="Name of the transparency log in its checkpoints (C2SP origin line).",
    )
    media_max_bytes: int = Field(
        default=25 * 2**20, ge=1024, description="Largest upload, in bytes."
    )
    media_ttl_seconds: int = Field(
        default=900, ge=1, description="How long an uploaded probe can be used, in seconds."
    )
    media_workers: int = Field(
        default=2, ge=1, le=64, description="Processes that decode media at the same time."
    )
    media_seconds: float = Field(
        default=5.0, gt=0, description="Wall time after which a decoding process is killed."
    )
    database_pool: int = Field(
        default=10, ge=2, le=200, description="Connections for everything but checks."
    )
    request_max_bytes: int = Field(
        default=2**20, ge=1024, description="Largest request body other than media, in bytes."
    )
    request_seconds: float = Field(
        default=5.0, gt=0, description="Time after which a request is answered 503."
    )
    storage_location: str = Field(
        default="NOT_STATED",
        min_length=1,
        max_length=100,
        description="Where this registry keeps data, as consent receipts tell it: a country code.",
    )
    webhook_private: bool = Field(
        default=False,
        description=(
            "Send webhooks also over http, and to addresses of this machine and its network:"
            " for tests and intranets."
        ),
    )
    packs_dir: Path | None = Field(
        default=None, description="Folder of further rule packs; it may not redefine shipped ones."
    )

    @classmethod
    def load(cls, **overrides: object) -> Self:
        """Read the environment; a LIKENESS_ name that is no setting is an error, not a surprise."""
        known = {PREFIX + name.upper() for name in cls.model_fields}
        unknown = sorted(
            name for name in os.environ if name.startswith(PREFIX) and name not in known
        )
        if unknown:
            raise SetupError(f"Unknown setting {unknown[0]}. See docs/reference/settings.md.")
        try:
            return cls(**overrides)  # type: ignore[arg-type]  # pydantic checks them
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + str(first["loc"][0]).upper()
            raise SetupError(f"Setting {name}: {first['msg']}.") from error
