"""Fills a page from Linktree: the profile, then all its links by cursor; or has a known page vouched
for by a 304."""

import re
from dataclasses import replace
from typing import Any

import structlog

from .html import Link, render_page
from .linktree import Call, Linktree, LinktreeError
from .shelf import Page

# A cursor that never ends must not fill the memory.
MAX_LINK_PAGES = 50
DEFAULT_STALE_S = 86_400.0
YEAR_S = 31_536_000.0

log = structlog.get_logger()


async def fill_page(linktree: Linktree, handle: str, known: Page | None, now: float) -> Page:
    """`now` is when the flight began: the age of a page is counted from before it was asked for."""
    async with linktree.reservation(slots_of(known)) as reserved:
        headers = {"if-none-match": known.etag} if known and known.etag else {}
        call = Call("profile", "pages", f"/profiles/{handle}", headers=headers)
        # A retry of the profile must not use up what was set aside for the links.
        profile = await linktree.read(call, [reserved.pop()])
        fresh_for, usable_for = read_life(profile.headers.get_list("cache-control"))
        life = {
            "validated_at": now,
            "fresh_until": now + fresh_for,
            "usable_until": now + fresh_for + usable_for,
        }
        if profile.status == 304:
            if known is None:
                raise LinktreeError("malformed")
            return replace(known, **life)
        document = profile.json()
        if document.get("version") is None:
            raise LinktreeError("malformed")
        links = await _active_links(linktree, handle, reserved)
    version = _text(document["version"])
    name, bio = _text(document.get("display_name")), _text(document.get("bio"))
    html = render_page(version, name, bio, links).encode()
    # Which page, and nothing else of the profile: it holds the creator's e-mail.
    log.info("page filled", handle=handle, version=version)
    return Page(version, profile.headers.get("etag"), html, **life)


def slots_of(known: Page | None) -> int:
    """How many calls a fill takes at least: a known page is most likely vouched for; of a new one a
    profile alone shows nothing, and in a spike the window would be spent on first halves."""
    return 1 if known else 2


async def _active_links(linktree: Linktree, handle: str, reserved: list[int]) -> list[Link]:
    try:
        try:
            return await _all_links(linktree, handle, reserved)
        except LinktreeError as error:
            # The cursor expired on the way: once more from the start.
            if error.status != 410:
                raise
        return await _all_links(linktree, handle, reserved)
    except LinktreeError as error:
        # Only the profile's 404 means that there is no such creator.
        if error.status == 404:
            raise LinktreeError("malformed") from error
        raise


async def _all_links(linktree: Linktree, handle: str, reserved: list[int]) -> list[Link]:
    links: dict[str, dict[str, Any]] = {}
    query: dict[str, str | int] = {"limit": 100}
    for _ in range(MAX_LINK_PAGES):
        call = Call("links", "pages", f"/profiles/{handle}/links", query=query)
        part = (await linktree.read(call, reserved)).json()
        data = part.get("data")
        if not isinstance(data, list) or not all(isinstance(link, dict) for link in data):
            raise LinktreeError("malformed")
        # A link that moved while we were reading comes twice; its newer state counts.
        links.update((_text(link.get("id")), link) for link in data)
        # How many links a page has says nothing: short and empty ones come in the middle, too.
        if not part.get("has_more"):
            active = (link for link in links.values() if link.get("is_active"))
            return [
                Link(_text(link.get("id")), _text(link.get("title")), _text(link.get("url")))
                for link in sorted(active, key=_position)
            ]
        # Without a way to the rest it would be half a page that looks whole.
        if not isinstance(cursor := part.get("cursor"), str):
            raise LinktreeError("malformed")
        query = {"limit": 100, "cursor": cursor}
    raise LinktreeError("malformed")


def read_life(cache_control: list[str]) -> tuple[float, float]:
    """Seconds for which an answer is fresh, and may then be shown on errors (RFC 9111, RFC 5861
    section 4)."""
    fresh_for, usable_for = 0.0, DEFAULT_STALE_S
    for directive in ",".join(cache_control).lower().split(","):
        name, _, value = directive.strip().partition("=")
        match = re.fullmatch(r'"?([0-9]{1,12})"?', value)
        seconds = min(float(match[1]), YEAR_S) if match else None
        if name == "max-age" and seconds is not None:
            fresh_for = seconds
        elif name == "stale-if-error" and seconds is not None:
            usable_for = seconds
        elif name == "must-revalidate":
            usable_for = 0.0
        elif name in ("no-store", "no-cache"):
            return 0.0, 0.0
    return fresh_for, usable_for


def _position(link: dict[str, Any]) -> float:
    position = link.get("position")
    return position if isinstance(position, (int, float)) else 0


def _text(value: object) -> str:
    # Half a character, as JSON may have it, can be sent to nobody.
    text = "" if value is None else str(value)
    return re.sub("[\ud800-\udfff]", "\ufffd", text)
