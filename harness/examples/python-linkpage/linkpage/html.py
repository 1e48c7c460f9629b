"""Writes a page as HTML. Whatever a creator wrote is text, and only addresses that can run nothing are
links."""

from dataclasses import dataclass

import ada_url
from jinja2 import Environment, PackageLoader, StrictUndefined

_SCHEMES = {"http:", "https:", "mailto:", "tel:"}

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
    def href(self) -> str | None:
        return safe_address(self.url)


def render_page(version: str, display_name: str, bio: str, links: list[Link]) -> str:
    template = _TEMPLATES.get_template("page.html")
    return template.render(version=version, display_name=display_name, bio=bio, links=links)


def safe_address(text: str) -> str | None:
    """Parsed as a browser parses it (WHATWG URL), so that tabs, line feeds and leading controls around a
    scheme hide nothing; and written as it was understood, so that nobody understands it otherwise."""
    try:
        url = ada_url.URL(text)
    except ValueError:
        return None
    return url.href if url.protocol in _SCHEMES else None
