"""Which front ends may call the API from a browser: each route allows its own method only."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

METHODS = {"/api/clicks": "POST", "/api/campaigns": "POST", "/api/analytics/": "GET"}


class ApiCors:
    """An origin is allowed to the letter or not at all; every answer of the API has `Vary: Origin`."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._routes = {
            prefix: CORSMiddleware(
                app,
                allow_origins=origins,
                allow_methods=[method],
                allow_headers=["content-type", "authorization"],
            )
            for prefix, method in METHODS.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http":
            routes = (app for prefix, app in self._routes.items() if scope["path"].startswith(prefix))
            app = next(routes, app)
        await app(scope, receive, send)
