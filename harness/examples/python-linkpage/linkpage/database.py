"""SQLite files that all workers share, in WAL mode: readers never wait for a writer."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# How long a write waits for the other worker's; its transactions last well below a millisecond.
BUSY_S = 5.0


class Database:
    """One connection, to be opened after the fork of a worker, since none survives a fork."""

    def __init__(self, path: Path, schema: str, *, durable: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # FULL has every commit on disk before it returns; OFF survives a kill, but no power cut.
        level = "FULL" if durable else "OFF"
        self._connection.execute(f"PRAGMA synchronous = {level}")
        self._connection.executescript(schema)

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        return self._connection.execute(sql, values).fetchone()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which no other worker's comes between."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
