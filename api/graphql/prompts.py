"""checkPrompt in the schema: which public figures a prompt names, and what to ask of them."""

import strawberry

from api.graphql.context import Info
from api.graphql.permissions import requires
from registry import prompts
from registry.policy.vocabulary import AiUse, Modality, SubjectClass
from registry.principals import Scope


@strawberry.type(description="The part of CheckInput that names a person.")
class PromptPerson:
    """The part of CheckInput that names a person."""

    name: str


@strawberry.type(
    description="A check to make: the beginning of a CheckInput, which lacks your purpose."
)
class PromptCheck:
    """A check to make: the beginning of a CheckInput, which lacks the purpose."""

    modalities: list[Modality]
    use: AiUse | None = strawberry.field(
        description="Null where no word of the prompt tells: it is what you are about to do."
    )

    @strawberry.field(graphql_type=list[PromptPerson], description="Whom it is about.")
    @staticmethod
    async def persons(check: strawberry.Parent[prompts.Suggested]) -> list[prompts.Suggested]:
        """Whom it is about."""
        return [check]


@strawberry.type(description="A public figure that a prompt names, and where.")
class PromptFinding:
    """A public figure that a prompt names, and where."""

    name: str = strawberry.field(description="As the list has it that the figure is from.")
    start: int = strawberry.field(description="The first character; Unicode code points from 0.")
    end: int = strawberry.field(description="Behind the last character.")
    figure_id: strawberry.ID
    classes: list[SubjectClass]
    checks: list[PromptCheck]


@strawberry.type
class PromptQuery:
    """Query fields about prompts."""

    @strawberry.field(
        graphql_type=list[PromptFinding],
        extensions=[requires(Scope.CHECK)],
        description="Names of public figures in a prompt of up to 2,000 characters, in any script."
        " That none is found permits nothing, and registered people are never told of.",
    )
    async def check_prompt(self, info: Info, text: str) -> list[prompts.Finding]:
        """Names of public figures in a prompt, from left to right."""
        prompts.checked(text)
        async with info.context.db.reading() as session:
            return await info.context.state.prompts.find(session, text)
