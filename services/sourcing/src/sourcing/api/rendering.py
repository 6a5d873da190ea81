"""Renders offer pages as self-contained HTML, with headers that keep them private."""

from functools import cache
from pathlib import Path
from typing import Final

from list_documents.page_assets import PageAssets, load_page_assets
from sourcing.api.offer_pages import OfferPage

TEMPLATES: Final = Path(__file__).parent / "templates"


def render_page(page: OfferPage) -> tuple[bytes, dict[str, str]]:
    """Render the page's HTML and its headers."""
    assets = _load_assets()
    html = assets.template.render(page=page, style=assets.style)
    return html.encode(), dict(assets.headers)


@cache
def _load_assets() -> PageAssets:
    return load_page_assets(TEMPLATES, template="page.html", style="page.css")
