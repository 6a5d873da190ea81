"""Markup of the page behind the link of a mail: accessible, escaped, with a strict content policy."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

from contracts.example_words import DeclineReasons
from sourcing.api.offer_forms import NO_REASON
from sourcing.api.offer_pages import FormMistake, OfferPage, build_offer_page
from sourcing.api.rendering import render_page
from testkit.sourcing.offer_page_steps import DEFINITION, build_page
from testkit.sourcing.search_driver import a_search


class Outline(HTMLParser):
    """What a page is made of, as a browser or a screen reader sees it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def find_all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def render_html(shown: OfferPage) -> str:
    return render_page(shown)[0].decode()


def test_a_page_is_accessible() -> None:
    outline = Outline(render_html(build_page(a_search("Alder"))))
    assert outline.find_all("html") == [{"lang": "en"}]
    assert len(outline.find_all("h1")) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in outline.find_all("meta")
    assert [each["for"] for each in outline.find_all("label")] == [each["id"] for each in outline.find_all("select")]
    assert not {"script", "link", "img", "a"} & {tag for tag, _ in outline.tags}
    assert not any(name.startswith("on") or name == "style" for _, each in outline.tags for name in each)


def test_forms_post_to_the_address_of_the_page() -> None:
    outline = Outline(render_html(build_page(a_search("Alder"))))
    assert outline.find_all("form") == [{"method": "post"}, {"method": "post"}]
    assert [(each["name"], each["value"]) for each in outline.find_all("button")] == [
        ("answer", "accept"),
        ("answer", "decline"),
    ]
    assert [each["value"] for each in outline.find_all("option")] == ["", *DeclineReasons.ALL]


def test_an_ended_offer_has_no_forms() -> None:
    driver = a_search("Alder", "Birch")
    driver.decline("Alder")
    outline = Outline(render_html(build_page(driver)))
    assert (outline.find_all("form"), outline.find_all("button")) == ([], [])


def test_an_error_links_to_its_field() -> None:
    outline = Outline(render_html(build_page(a_search("Alder"), mistake=NO_REASON)))
    assert outline.find_all("a") == [{"href": "#reason"}]
    assert [each["aria-invalid"] for each in outline.find_all("select")] == ["true"]


def test_values_are_escaped() -> None:
    driver, planted = a_search("Alder"), "<script>alert('1')</script> & \"more\""
    definition = DEFINITION.model_copy(update={"title": planted})
    shown = build_offer_page(driver.current, driver.find_offer("Alder"), definition)
    html = render_html(
        replace(shown, heading=planted, paragraphs=(planted,), mistake=FormMistake(planted, 'x"><script>'))
    )
    assert Outline(html).find_all("script") == []
    assert "&lt;script&gt;" in html


def test_the_content_policy_allows_the_style_only() -> None:
    html, headers = render_page(build_page(a_search("Alder")))
    (style,) = re.findall(rb"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
