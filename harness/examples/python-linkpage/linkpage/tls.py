"""Whom calls over TLS trust. Read once for all clients, before the workers are forked: it takes longer
than anything else that a worker does at its start."""

import httpx

TRUSTED = httpx.create_ssl_context()
