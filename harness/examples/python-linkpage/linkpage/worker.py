"""The worker that gunicorn forks: uvicorn without what this service has no use for."""

from uvicorn_worker import UvicornWorker


class Worker(UvicornWorker):
    CONFIG_KWARGS = {
        "loop": "uvloop",
        "http": "httptools",
        "ws": "none",
        "lifespan": "on",
        # A visitor's address is of no interest, so no forwarded one need be read, or logged.
        "proxy_headers": False,
        "access_log": False,
        "server_header": False,
    }
