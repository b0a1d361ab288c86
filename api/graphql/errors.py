"""How registry failures reach a GraphQL client: a `Problem` in the result, or a coded error."""

import strawberry
from strawberry.types import Info
from strawberry.types.field import StrawberryField
from typing_extensions import override

import api.graphql.vocabulary  # noqa: F401  # registers the enums before any type uses them
from registry.errors import BusyError, ProblemCode, RegistryError, UnavailableError


@strawberry.type(description="A refusal the caller can understand and act on.")
class Problem:
    """A refusal the caller can understand and act on."""

    code: ProblemCode
    message: str
    field: str | None = strawberry.field(
        default=None, description="The input field that did not hold."
    )
    retry_after: int | None = strawberry.field(
        default=None, description="Seconds after which the same request may succeed."
    )


def problem(error: RegistryError) -> Problem:
    """The refusal as the schema shows it."""
    return Problem(
        code=error.code, message=str(error), field=error.field, retry_after=error.retry_after
    )


class ProblemHandler(strawberry.ExceptionHandler[RegistryError, Problem]):
    """Turns a RegistryError into the `Problem` member of the field's result union."""

    @override
    def handle(
        self, exception: RegistryError, *, field: StrawberryField, info: Info
    ) -> Problem | None:
        """Expose the code and the message; "away" and "busy" stay a 503 or 429 of the request."""
        if isinstance(exception, (BusyError, UnavailableError)):
            return None
        return problem(exception)
