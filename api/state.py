"""What the application holds while it runs; opened in the lifespan, handed to every request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.uploads import UploadBudget
from registry.checks.checker import Checker
from registry.database import Database
from registry.encoders.media import MediaWorkers
from registry.keys import Keys
from registry.prompt_index import PromptIndex
from registry.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """The parts a request may need."""

    settings: Settings
    keys: Keys
    db: Database
    checker: Checker
    media: MediaWorkers
    uploads: UploadBudget
    prompts: PromptIndex = field(default_factory=PromptIndex)
    missing_models: Mapping[str, str] = field(default_factory=dict)  # kind -> why, and what to do
