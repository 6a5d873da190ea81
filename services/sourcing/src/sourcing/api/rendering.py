"""Renders offer pages as self-contained HTML, with headers that keep them private."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from sourcing.api.offer_pages import OfferPage

TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class PageAssets:
    """The template, the inline style of each page, and the headers, whose policy allows only that style."""

    template: Template
    style: str
    headers: Mapping[str, str]


@cache
def _load_assets() -> PageAssets:
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    rooms = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return PageAssets(rooms.get_template("page.html"), style, _build_headers(style))


def _build_headers(style: str) -> Mapping[str, str]:
    """Forbid fetching, framing, caching, indexing and referrers, because the page's address is a secret."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    return {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": "; ".join(policy),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }


def render_page(page: OfferPage) -> tuple[bytes, dict[str, str]]:
    """Render the page's HTML and its headers."""
    look = _load_assets()
    html = look.template.render(page=page, style=look.style)
    return html.encode(), dict(look.headers)
