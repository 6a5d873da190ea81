"""A template, its inline style and the headers of a self-contained page whose address can be a secret."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template


@dataclass(frozen=True, slots=True)
class PageAssets:
    """The template, the inline style of each page, and the headers, whose policy allows only that style."""

    template: Template
    style: str
    headers: Mapping[str, str]


def load_page_assets(templates: Path, *, template: str, style: str) -> PageAssets:
    """Reads the files named `template` and `style` in the folder `templates`; values in the template are escaped."""
    css = (templates / style).read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return PageAssets(environment.get_template(template), css, _build_headers(css))


def _build_headers(style: str) -> Mapping[str, str]:
    """Forbid fetching, framing, caching, indexing and referrers, because the page's address can be a secret."""
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
