"""Clicks on their way to Linktree: sent singly with an idempotency key, or in batches."""

from collections.abc import Mapping
from typing import Any

from .config import Config
from .courier import Cargo, statuses_of
from .linktree import Call, Linktree
from .outbox import Item, New


def new_click(payload: Mapping[str, Any]) -> New:
    return New(payload["event_id"], payload)


class Clicks(Cargo):
    name = "click"
    lane = "clicks"

    def __init__(self, linktree: Linktree, config: Config) -> None:
        self._linktree = linktree
        self._config = config

    async def send(self, items: list[Item]) -> dict[str, int]:
        if len(items) == 1:
            [click] = items
            # The same on every attempt, for ever.
            headers = {"idempotency-key": click.key}
            call = Call("click", self.lane, "/clicks", "POST", {}, headers, click.payload)
            return {click.key: (await self._linktree.attempt(call)).status}
        body = {"events": [click.payload for click in items]}
        call = Call("click_batch", self.lane, "/clicks/batch", "POST", body=body)
        return statuses_of(await self._linktree.attempt(call), "event_id")

    def pace(self) -> float:
        """Longer once half of the reserved slots are used, so that a steady flow of clicks leaves the
        pages their share."""
        limits = self._config.limits
        if 2 * self._linktree.used(self.lane) > limits.reserved_for_clicks:
            return max(self._config.coalesce, limits.window / limits.reserved_for_clicks)
        return self._config.coalesce
