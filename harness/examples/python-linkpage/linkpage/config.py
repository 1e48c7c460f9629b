"""Reads the configuration from the environment. Contract durations are divided by TIME_SCALE."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .signature import SCHEMES


class ConfigError(Exception):
    """A variable is missing or makes no sense; the message names it."""


@dataclass(frozen=True)
class Limits:
    """What may leave for Linktree; durations in seconds."""

    cap: int = 90
    reserved_for_clicks: int = 24
    window: float = 60.0
    # For requests that take unequally long from here to the wire.
    guard: float = 0.03
    # How long a visitor's read waits for a slot.
    patience: float = 0.5
    breaker_failures: int = 5
    breaker_open: float = 30.0

    @property
    def pages_cap(self) -> int:
        return self.cap - self.reserved_for_clicks


@dataclass(frozen=True)
class Config:
    """Everything that is decided outside of the program; durations in seconds."""

    linktree_url: str
    vault_url: str
    vault_token: str
    vault_path: str
    environment: str
    data_dir: Path
    # Where Linktree reaches this service; webhooks are registered where it is set.
    public_url: str | None
    webhook_scheme: str
    session_secret: str | None
    allowed_origins: tuple[str, ...]
    log_level: str
    limits: Limits
    timeout: float
    analytics_timeout: float
    attempts: int
    backoff_base: float
    backoff_cap: float
    cold_wait: float
    revalidation_wait: float
    unknown_for: float
    coalesce: float
    vault_refresh: float
    # How long a queue rests when the key is refused, if there is no other one before.
    key_rest: float
    # How often to look whether the webhooks are still registered.
    registration_check: float
    batch: int = 100
    capacity: int = 10_000

    @property
    def probe_within(self) -> float:
        return 2 * self.timeout

    @property
    def campaign_queue(self) -> Path:
        return self.data_dir / "campaigns.db"

    @property
    def dead_letters(self) -> Path:
        return self.data_dir / "dead-letters.ndjson"

    @property
    def click_queue(self) -> Path:
        return self.data_dir / "clicks.db"

    @property
    def shared_state(self) -> Path:
        return self.data_dir / "state.db"


def read_config(env: Mapping[str, str] = os.environ) -> Config:
    """Raises ConfigError at the first variable that is wrong."""
    scale = _whole(env, "TIME_SCALE", 1)
    origins = (one.strip() for one in env.get("ALLOWED_ORIGIN", "").split(","))
    return Config(
        linktree_url=_address(env, "LINKTREE_URL"),
        vault_url=_address(env, "VAULT_URL"),
        vault_token=_required(env, "VAULT_TOKEN"),
        vault_path=env.get("VAULT_PATH") or "secret/data/linktree",
        environment=_one_of(env, "LINKTREE_ENVIRONMENT", ("live", "test")),
        data_dir=Path(_required(env, "DATA_DIR")),
        public_url=_address(env, "PUBLIC_URL") if env.get("PUBLIC_URL") else None,
        webhook_scheme=_one_of(env, "WEBHOOK_SCHEME", SCHEMES),
        session_secret=env.get("SESSION_SECRET") or None,
        allowed_origins=tuple(filter(None, origins)),
        log_level=env.get("LOG_LEVEL") or "info",
        limits=Limits(
            window=60 / scale,
            patience=0.5 / scale,
            # BREAKER=off is for demonstrations only: see the README.
            breaker_failures=sys.maxsize if env.get("BREAKER") == "off" else 5,
            breaker_open=30 / scale,
        ),
        timeout=10 / scale,
        analytics_timeout=30 / scale,
        attempts=3,
        backoff_base=1 / scale,
        backoff_cap=30 / scale,
        cold_wait=20 / scale,
        # A visitor notices 0.8 s, and an answer within 50 ms is worth waiting for.
        revalidation_wait=max(0.05, 0.8 / scale),
        unknown_for=2 / scale,
        coalesce=0.5 / scale,
        vault_refresh=30 / scale,
        key_rest=15 / scale,
        registration_check=3600 / scale,
    )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise ConfigError(f"failed to read {name}: it is not set")
    return value


def _one_of(env: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """The first is the default."""
    word = env.get(name) or words[0]
    if word not in words:
        raise ConfigError(f"failed to read {name}: it is none of {', '.join(words)}")
    return word


def _address(env: Mapping[str, str], name: str) -> str:
    text = _required(env, name)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"failed to read {name}: it is not an http(s) address")
    return text.rstrip("/")


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ConfigError(f"failed to read {name}: it is not a whole number from 1 on")
    return int(text)
