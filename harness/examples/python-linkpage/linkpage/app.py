"""All routes but the pages, what an error looks like from outside, and how the parts start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import AfterValidator, BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from . import metrics
from .analytics import analytics
from .campaigns import Campaign
from .clicks import new_click
from .config import Config, read_config
from .cors import ApiCors
from .front import Front, unavailable
from .linktree import LinktreeError
from .log import set_up
from .service import Service
from .webhooks import webhook, webhook_reachable

log = structlog.get_logger()


def _instant(text: str) -> str:
    """The text as it came: Linktree compares the payloads of repeated clicks."""
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("an instant has an offset")
    return text


class Click(BaseModel):
    """Whatever else the browser sends, the visitor's address included, is dropped here."""

    event_id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]
    handle: Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,30}$")]
    link_id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]
    occurred_at: Annotated[str, Field(max_length=64), AfterValidator(_instant)]


def create_app(config: Config | None = None) -> Front:
    config = config or read_config()
    set_up(config.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Service.running(config) as service:
            app.state.service = service
            front.pages = service.pages
            yield

    # No documents: they would take handles' places.
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    front = Front(app)
    if config.allowed_origins:
        app.add_middleware(ApiCors, origins=config.allowed_origins)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(LinktreeError, _barred)
    app.add_exception_handler(Exception, _broken)
    app.add_api_route("/healthz", healthz, methods=["GET", "HEAD"])
    app.add_api_route("/metrics", scrape, methods=["GET", "HEAD"])
    app.add_api_route("/api/clicks", click, methods=["POST"], status_code=202)
    app.add_api_route("/api/campaigns", campaign, methods=["POST"], status_code=202)
    app.add_api_route("/api/analytics/{handle}", analytics, methods=["GET"])
    app.add_api_route("/webhooks/linktree", webhook, methods=["POST"])
    app.add_api_route("/webhooks/linktree", webhook_reachable, methods=["HEAD"])
    return front


async def healthz() -> Response:
    return PlainTextResponse("ok\n")


async def scrape(request: Request) -> Response:
    gauges = request.app.state.service.gauges()
    # It reads the files of all workers: not on the event loop.
    text = await asyncio.to_thread(metrics.exposition, gauges)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def click(request: Request, click: Click) -> Response:
    await request.app.state.service.clicks.add([new_click(click.model_dump())])
    return Response(status_code=202)


async def campaign(request: Request, campaign: Campaign) -> Response:
    name, changes = campaign.changes()
    await request.app.state.service.changes.add(changes)
    return JSONResponse({"campaign": name}, 202)


# What is wrong is said without a word of what came in.


async def _invalid(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "invalid"}, 400)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    return JSONResponse({"error": "refused"}, error.status_code, headers=error.headers)


async def _barred(request: Request, error: Exception) -> Response:
    assert isinstance(error, LinktreeError)
    return unavailable(error)


async def _broken(request: Request, error: Exception) -> Response:
    log.error("a request failed", reason=type(error).__name__)
    return JSONResponse({"error": "unavailable"}, 503, headers={"retry-after": "1"})
