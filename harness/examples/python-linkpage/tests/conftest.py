"""A clock that the tests move, and a worker's parts on a folder that several may share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from linkpage.admission import SCHEMA, Admission
from linkpage.config import Config, Limits, read_config
from linkpage.database import Database


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    env = {
        "LINKTREE_URL": "http://linktree.test",
        "VAULT_URL": "http://vault.test",
        "VAULT_TOKEN": "t",
        "DATA_DIR": str(tmp_path),
    }
    # Waits of a retry are not what these tests are about.
    return replace(read_config(env), backoff_base=0.001, backoff_cap=0.002)


@pytest.fixture
def worker(tmp_path: Path, clock: Clock) -> Callable[[Limits], Admission]:
    """Another worker's admission on the same file, with each call."""

    def new(limits: Limits = Limits()) -> Admission:
        database = Database(tmp_path / "state.db", SCHEMA, durable=False)
        return Admission(database, limits, probe_within=20, clock=clock)

    return new
