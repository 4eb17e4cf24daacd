"""All of `/v1`, as one ASGI app."""

from fastapi import FastAPI

from chassis.http import Asgi
from gateway.routes import (
    activities,
    campaigns,
    consent,
    control,
    exports,
    figures,
    iqas,
    messages,
    operations,
    organizations,
    recurrences,
    runs,
    sessions,
    settings,
    statuses,
    summaries,
    uploads,
)
from gateway.routes.deps import Gateway
from gateway.routes.guard import Guard
from gateway.routes.openapi import describe_itself
from gateway.routes.problems import answer_problems

LARGEST_BODY = 256 * 1024
ROUTES = (
    sessions,
    organizations,
    settings,
    iqas,
    campaigns,
    control,
    recurrences,
    summaries,
    messages,
    runs,
    exports,
    activities,
    figures,
    consent,
    uploads,
    statuses,
    operations,
)


def make_api(gateway: Gateway) -> FastAPI:
    """Put the routes together; no documentation page, as those load scripts from elsewhere."""
    app = FastAPI(
        title="Text Manager",
        version="1",
        description="Text campaigns for organisations that keep their members in iMIS.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        max_body_size=LARGEST_BODY,
        # What a request holds is personal; nothing of it may leave with a trace.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.gateway = gateway
    for each in ROUTES:
        app.include_router(each.router)
    answer_problems(app)
    describe_itself(app)
    return app


def make_routes(gateway: Gateway) -> Asgi:
    """Return what the HTTP server serves."""
    return Guard(make_api(gateway))
