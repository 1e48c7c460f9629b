"""A launch changes hundreds of links at once: they go out in batches, behind the same limiter as
everything else."""

import uuid
from typing import Annotated

from pydantic import BaseModel, Field

from .courier import Cargo, statuses_of
from .linktree import Call, Linktree
from .outbox import Item, New

Text = Annotated[str, Field(min_length=1, max_length=2048)]


class LinkChange(BaseModel):
    id: Text
    title: Text
    url: Text


class Campaign(BaseModel):
    handle: Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,30}$")]
    links: Annotated[list[LinkChange], Field(min_length=1, max_length=2000)]

    def changes(self) -> tuple[str, list[New]]:
        """The campaign's id, and its changes: keys of our own keep two campaigns on one link apart."""
        campaign = str(uuid.uuid4())
        changes = [
            New(f"{campaign}:{n}", link.model_dump(), subject=link.id)
            for n, link in enumerate(self.links)
        ]
        return campaign, changes


class Changes(Cargo):
    name = "link"
    lane = "campaigns"

    def __init__(self, linktree: Linktree) -> None:
        self._linktree = linktree

    async def send(self, items: list[Item]) -> dict[str, int]:
        # The outbox has one of each link at most.
        keys = {item.payload["id"]: item.key for item in items}
        body = {"items": [item.payload for item in items]}
        call = Call("links_batch", self.lane, "/links/batch", "POST", body=body)
        statuses = statuses_of(await self._linktree.attempt(call), "id")
        return {keys[link]: status for link, status in statuses.items() if link in keys}
