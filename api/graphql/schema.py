"""The whole schema. `schema.graphql` beside it is its printed form; a test compares the two."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from api.graphql.assets import AssetMutation
from api.graphql.attestations import AttestationMutation
from api.graphql.cases import CaseMutation
from api.graphql.challenges import ChallengeMutation
from api.graphql.checks import CheckQuery
from api.graphql.complaints import ComplaintMutation, ComplaintQuery
from api.graphql.consent_requests import ConsentRequestMutation, ConsentRequestQuery
from api.graphql.contests import ContestMutation
from api.graphql.disputes import DisputeMutation
from api.graphql.erasure import ErasureMutation
from api.graphql.errors import ProblemHandler
from api.graphql.figures import FigureMutation, FigureQuery
from api.graphql.filings import FilingMutation
from api.graphql.grants import GrantMutation, GrantQuery
from api.graphql.history import HistoryQuery
from api.graphql.log import LogQuery
from api.graphql.notices import NoticeQuery
from api.graphql.objections import ObjectionMutation, ObjectionQuery
from api.graphql.orders import OrderMutation, OrderQuery
from api.graphql.organisations import OrganisationMutation, OrganisationQuery
from api.graphql.prompts import PromptQuery
from api.graphql.protections import ProtectionMutation
from api.graphql.representatives import RepresentativeMutation
from api.graphql.reviews import ReviewMutation, ReviewQuery
from api.graphql.samples import SampleMutation
from api.graphql.services import ServiceMutation, ServiceQuery
from api.graphql.subjects import SubjectMutation, SubjectQuery
from api.graphql.usage import UsageMutation
from api.graphql.viewer import ViewerQuery
from api.graphql.webhooks import WebhookMutation, WebhookQuery


@strawberry.type(description="Read, and ask.")
class Query(
    ViewerQuery,
    CheckQuery,
    HistoryQuery,
    SubjectQuery,
    GrantQuery,
    ObjectionQuery,
    ComplaintQuery,
    OrderQuery,
    FigureQuery,
    PromptQuery,
    ServiceQuery,
    ReviewQuery,
    OrganisationQuery,
    LogQuery,
    NoticeQuery,
    ConsentRequestQuery,
    WebhookQuery,
):
    """Read, and ask."""


@strawberry.type(description="Change. Each field is one transaction, committed before it answers.")
class Mutation(
    SubjectMutation,
    ProtectionMutation,
    RepresentativeMutation,
    OrganisationMutation,
    SampleMutation,
    AssetMutation,
    GrantMutation,
    ObjectionMutation,
    ComplaintMutation,
    OrderMutation,
    ServiceMutation,
    FilingMutation,
    FigureMutation,
    UsageMutation,
    AttestationMutation,
    ChallengeMutation,
    CaseMutation,
    ContestMutation,
    ErasureMutation,
    ConsentRequestMutation,
    WebhookMutation,
    ReviewMutation,
    DisputeMutation,
):
    """Change."""


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(disable_field_suggestions=True),
    exception_handlers=[ProblemHandler()],
)


def printed() -> str:
    """The schema in SDL, sorted so that a diff shows only what changed."""
    return schema.as_str() + "\n"
