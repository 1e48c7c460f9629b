"""How old the API key is: asked of Linktree once per key, by the first worker that gets to it."""

from datetime import datetime

import structlog

from .database import Database
from .linktree import Call, Linktree, LinktreeError
from .vault import Vault

SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (version INTEGER PRIMARY KEY, created_at REAL);
"""

log = structlog.get_logger()


class Account:
    def __init__(
        self, database: Database, linktree: Linktree, vault: Vault, every: float
    ) -> None:
        self._database = database
        self._linktree = linktree
        self._vault = vault
        self._every = every

    def key_created_at(self) -> float | None:
        """Unix time; None until Linktree has said so."""
        version = self._vault.secrets.version
        row = self._database.row("SELECT created_at FROM keys WHERE version = ?", version)
        return row["created_at"] if row else None

    async def keep_known(self) -> None:
        """Asks again after each rotation. Never returns."""
        failures = 0
        while True:
            version = self._vault.secrets.version
            try:
                await self._ask(version)
                failures = 0
            except (LinktreeError, ValueError, KeyError, TypeError) as error:
                reason = str(error) if isinstance(error, LinktreeError) else type(error).__name__
                log.warning("failed to read the age of the key", reason=reason)
                failures += 1
            pause = self._linktree.backoff(failures) if failures else self._every
            await self._vault.rotation(version, pause)

    async def _ask(self, version: int) -> None:
        # The row is there before the answer is, so that two workers ask once.
        with self._database.writing() as connection:
            sql = "INSERT OR IGNORE INTO keys (version) VALUES (?)"
            if connection.execute(sql, (version,)).rowcount == 0:
                return
        created_at = None
        try:
            answer = await self._linktree.read(Call("me", "account", "/me"))
            text = answer.json()["key"]["created_at"]
            created_at = datetime.fromisoformat(text).timestamp()
        finally:
            with self._database.writing() as connection:
                if created_at is None:
                    connection.execute("DELETE FROM keys WHERE version = ?", (version,))
                else:
                    sql = "UPDATE keys SET created_at = ? WHERE version = ?"
                    connection.execute(sql, (created_at, version))
