"""`/v1/sessions`: signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from gateway.handlers import sessions as handlers
from gateway.routes.deps import Staff, The
from gateway.routes.organization_shapes import Fields, OrganizationView
from gateway.routes.texts import Name, Secret

router = APIRouter(tags=["sessions"])


class SessionFields(Fields):
    """An iMIS login of the organisation behind a Cloud ID."""

    username: Annotated[Name, Field(examples=["staff"])]
    password: Secret
    cloud_id: Annotated[Name, Field(max_length=100, examples=["DEMO"])]


class SessionView(BaseModel):
    """A session; the token is shown this once."""

    token: str
    expires_at: AwareDatetime
    user: str
    organization: OrganizationView


@router.post(
    "/v1/sessions",
    status_code=201,
    summary="Sign in with an iMIS login",
)
async def post_session(fields: SessionFields, gateway: The, request: Request) -> SessionView:
    """Checks the login with the organisation's own iMIS. The password is not kept.

    A repeat opens another session, so this POST takes no Idempotency-Key: the answer holds a
    secret, which must not be kept to be given again.
    """
    token, session, settings = await handlers.sign_in(
        fields.username,
        fields.password,
        fields.cloud_id,
        address=request.client.host if request.client else "",
        desk=gateway.desk,
        imis=gateway.imis,
        seal=gateway.seal,
        clock=gateway.clock,
        pause=gateway.pause,
        own=gateway.own,
    )
    return SessionView(
        token=token.get_secret_value(),
        expires_at=session.expires_at,
        user=session.user,
        organization=OrganizationView.of(session.organization_id, settings),
    )


@router.delete("/v1/sessions/current", status_code=204, summary="Sign out")
async def delete_session(gateway: The, staff: Staff) -> Response:
    """Ends the session at once."""
    await handlers.sign_out(staff, desk=gateway.desk)
    return Response(status_code=204)
