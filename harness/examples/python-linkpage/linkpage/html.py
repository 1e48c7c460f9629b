"""Writes a page as HTML. Whatever a creator wrote is text, and only http(s) addresses are links."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

_TEMPLATES = Environment(
    loader=PackageLoader("linkpage"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Link:
    id: str
    title: str
    url: str

    @property
    def is_web(self) -> bool:
        return is_web_address(self.url)


def render_page(version: str, display_name: str, bio: str, links: list[Link]) -> str:
    template = _TEMPLATES.get_template("page.html")
    return template.render(version=version, display_name=display_name, bio=bio, links=links)


def is_web_address(text: str) -> bool:
    # Browsers drop tabs and line feeds inside of a scheme, so whatever has any is none.
    if re.search(r"[\x00-\x20\x7f\\]", text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
