"""Signed deliveries, each with its effect once, whichever worker gets it."""

import base64
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import Response

from .config import Config
from .database import Database
from .metrics import WEBHOOKS
from .shelf import Shelf
from .signature import is_signed
from .vault import Vault

SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_by_age ON deliveries (at);
"""

# Longer than a sender goes on repeating a delivery; a signature is good for five minutes only.
REMEMBER_S = 86_400.0
# How seldom a signature that is not right has the vault asked for another secret.
LEAST_PAUSE_S = 1.0
_PURGING = ("link.updated", "profile.updated")

log = structlog.get_logger()


class DeadLetters:
    """What was signed but not understood, one JSON object a line, for a person to replay."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, message: str, body: bytes) -> None:
        """When this returns, it is on disk."""
        record: dict[str, Any] = {"what": "webhook", "at": datetime.now(UTC).isoformat()}
        record["id"] = message
        try:
            record["payload"] = body.decode()
        except UnicodeDecodeError:
            record["payload_base64"] = base64.b64encode(body).decode()
        line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # The workers take turns, so that whoever failed in the middle leaves nothing behind.
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file).st_size
            try:
                if os.write(file, line) != len(line):
                    raise OSError("the disk is full")
                os.fsync(file)
            except OSError:
                os.ftruncate(file, size)
                raise
        finally:
            os.close(file)


class Webhooks:
    def __init__(self, config: Config, vault: Vault, database: Database, shelf: Shelf) -> None:
        self._scheme = config.webhook_scheme
        self._vault = vault
        self._database = database
        self._shelf = shelf
        self._dead_letters = DeadLetters(config.dead_letters)
        # When the vault was last asked because of a signature.
        self._asked_at = float("-inf")

    async def receive(self, body: bytes, headers: Mapping[str, str]) -> str:
        """What became of a delivery: accepted, duplicate, ignored, kept or refused."""
        result = await self._process(body, headers)
        WEBHOOKS.labels(result).inc()
        return result

    def tidy(self) -> None:
        with self._database.writing() as connection:
            sql = "DELETE FROM deliveries WHERE at < ?"
            connection.execute(sql, (time.time() - REMEMBER_S,))

    async def _process(self, body: bytes, headers: Mapping[str, str]) -> str:
        if not await self._is_genuine(body, headers):
            return "refused"
        # The id, where the signature covers it. A message that is sent again has the same bytes.
        is_covered = self._scheme == "standard-webhooks"
        message = headers["webhook-id"] if is_covered else hashlib.sha256(body).hexdigest()
        with self._database.writing() as connection:
            sql = "INSERT OR IGNORE INTO deliveries VALUES (?, ?)"
            if connection.execute(sql, (message, time.time())).rowcount == 0:
                return "duplicate"
        try:
            return self._act(json.loads(body))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            # Signed, but not understood: sending it again would change nothing.
            reason = type(error).__name__
            log.error("a webhook could not be processed; it is kept", id=message, reason=reason)
            try:
                self._dead_letters.keep(message, body)
            except OSError:
                with self._database.writing() as connection:
                    connection.execute("DELETE FROM deliveries WHERE id = ?", (message,))
                raise
            return "kept"

    async def _is_genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        if self._is_signed(body, headers):
            return True
        # The secret may have been rotated since it was read. Forgeries must not become a storm on the
        # vault.
        version, now = self._vault.secrets.version, time.monotonic()
        if now - self._asked_at >= LEAST_PAUSE_S:
            self._asked_at = now
        if not await self._vault.renewed(version, self._asked_at):
            return False
        return self._is_signed(body, headers)

    def _is_signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        secret = self._vault.secrets.webhook_secret
        return bool(secret) and is_signed(self._scheme, body, headers, secret, time.time())

    def _act(self, event: dict[str, Any]) -> str:
        kind = event["type"]
        if kind not in (*_PURGING, "link.clicked"):
            return "ignored"
        handle = event["data"]["handle"]
        if not isinstance(handle, str):
            raise TypeError("a handle is text")
        if kind in _PURGING:
            self._shelf.purge(handle)
        return "accepted"


async def webhook(request: Request) -> Response:
    # The signature covers the bytes as they came, so nothing parses them first.
    body = await request.body()
    result = await request.app.state.service.webhooks.receive(body, request.headers)
    return Response(status_code=401 if result == "refused" else 202)


async def webhook_reachable() -> Response:
    return Response(status_code=204)
