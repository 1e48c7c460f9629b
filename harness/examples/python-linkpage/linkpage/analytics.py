"""A creator looks at own figures, with a session token."""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator

from .config import Config
from .linktree import Call, Linktree, LinktreeError

# What is shown when nobody says otherwise, today included.
DEFAULT_DAYS = 30
_TOKEN = re.compile(r"Bearer ([a-z0-9._-]{1,30})\.([0-9a-f]{64})")
_PRIVATE = {"cache-control": "private, no-store"}


def _date(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError("a date is such as 2026-01-31")
    return text


Day = Annotated[str | None, AfterValidator(lambda text: text and _date(text))]


@dataclass(frozen=True)
class Analytics:
    linktree: Linktree
    config: Config

    async def figures(self, owner: str, first: str | None, last: str | None) -> Response:
        last = last or datetime.now(UTC).date().isoformat()
        if not first:
            first = (date.fromisoformat(last) - timedelta(days=DEFAULT_DAYS - 1)).isoformat()
        # Slow by design: one attempt with a longer limit, and no retry on top of it.
        call = Call(
            "analytics",
            "pages",
            f"/analytics/{owner}",
            query={"from": first, "to": last},
            timeout=self.config.analytics_timeout,
        )
        try:
            answer = await self.linktree.attempt(call)
        except LinktreeError as error:
            # The creator is gone, or asked for days that there are none of; neither is an outage.
            if error.status is None or not error.is_refusal:
                raise
            return JSONResponse({"error": "refused"}, error.status, headers=_PRIVATE)
        return Response(answer.body, media_type="application/json", headers=_PRIVATE)


async def analytics(
    request: Request,
    handle: str,
    first: Annotated[Day, Query(alias="from")] = None,
    last: Annotated[Day, Query(alias="to")] = None,
) -> Response:
    service = request.app.state.service
    # Before anything else, on every request: no cache may come first.
    secret = service.analytics.config.session_secret
    owner = session_owner(request.headers.get("authorization", ""), secret)
    if owner is None:
        refusal = {"www-authenticate": "Bearer"}
        return JSONResponse({"error": "refused"}, 401, headers=refusal)
    if owner != handle:
        return JSONResponse({"error": "refused"}, 403)
    return await service.analytics.figures(owner, first, last)


def session_owner(authorization: str, secret: str | None) -> str | None:
    """Whose session a `Bearer {handle}.{hmac of the handle}` is; None for nobody's."""
    match = _TOKEN.fullmatch(authorization)
    if not match or not secret:
        return None
    handle, shown = match.groups()
    expected = hmac.digest(secret.encode(), handle.encode(), "sha256").hex()
    return handle if hmac.compare_digest(expected, shown) else None
