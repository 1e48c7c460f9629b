"""The pages, as a plain ASGI application in front of the framework.

Nearly all that comes is a visitor who looks at a page that is there already, and in a rush all of them
come at once. Routing, validation and middleware would take three quarters of the time of such an
answer and do nothing for it; whatever else comes is the framework's.
"""

import math
import re
import time

import structlog
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from . import metrics
from .linktree import LinktreeError
from .pages import Pages, Seen

_PAGE = re.compile(r"/([a-z0-9._-]{1,30})")
# Routes of the framework, and what a proxy makes another path of.
_NO_HANDLES = {"healthz", "metrics", ".", ".."}
_VERSION = re.compile(r"[\x21-\x7e]{1,256}")

log = structlog.get_logger()


class Front:
    def __init__(self, api: ASGIApp) -> None:
        self._api = api
        # There once the worker has started; nobody visits before.
        self.pages: Pages | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handle = _handle(scope)
        if handle is None or self.pages is None:
            await self._api(scope, receive, send)
            return
        try:
            seen = await self.pages.read(handle)
        except Exception as error:
            # The message of an error that nobody expected may quote anything.
            log.error("a page failed", reason=type(error).__name__)
            refusal = JSONResponse({"error": "unavailable"}, 503, headers={"retry-after": "1"})
            await refusal(scope, receive, send)
            return
        if seen.is_missing:
            await JSONResponse({"error": "refused"}, 404)(scope, receive, send)
            return
        metrics.PAGES.labels(seen.result).inc()
        if seen.page is None:
            assert seen.failure is not None, "without a page there is a reason"
            await unavailable(seen.failure)(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": _headers(seen)})
        await send({"type": "http.response.body", "body": seen.page.html})


def _handle(scope: Scope) -> str | None:
    """Whose page is asked for, if it is a page."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    match = _PAGE.fullmatch(scope["path"])
    return match[1] if match and match[1] not in _NO_HANDLES else None


def _headers(seen: Seen) -> list[tuple[bytes, bytes]]:
    page = seen.page
    assert page is not None
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(page.html)),
        (b"cache-status", seen.cache_status.encode()),
        (b"age", b"%d" % max(0, int(time.time() - page.validated_at))),
        (b"content-security-policy", b"default-src 'none'"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if _VERSION.fullmatch(page.version):
        headers.append((b"x-profile-version", page.version.encode()))
    return headers


def unavailable(failure: LinktreeError) -> JSONResponse:
    """Says why, without a word of what Linktree said, and when to come again."""
    wait = failure.barrier.until - time.time() if failure.barrier else 1.0
    reason = failure.barrier.reason if failure.barrier else failure.kind
    headers = {"retry-after": str(max(1, math.ceil(wait)))}
    return JSONResponse({"error": reason}, 504 if reason == "timeout" else 503, headers=headers)
