"""The roads of a definition are drawn as Mermaid and as well-formed SVG, whatever its titles are."""

from xml.etree import ElementTree as ET

from contracts.examples import a_definition
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import Recipients, SequentialOffers
from contracts.framework.words import Lot
from contracts.ids import LotKey, TierKey
from contracts.review.drawing import draw_mermaid, draw_svg
from contracts.review.road_groups import group_roads
from testkit.council_examples import a_definition_with_lots, a_definition_with_zones

SVG = "{http://www.w3.org/2000/svg}"
MARKUP = """<script>alert(1)</script> & "quoted" 'too' ]]> `#1;`"""


def _draw(definition: FrameworkDefinition) -> ET.Element:
    return ET.fromstring(draw_svg(definition, group_roads(definition)))


def _list_texts(drawing: ET.Element) -> list[str]:
    return [each.text or "" for each in drawing.iter(f"{SVG}text")]


def test_a_road_is_a_row_of_boxes_with_arrows_between_them() -> None:
    drawing = _draw(a_definition_with_zones())
    assert _list_texts(drawing) == [
        "1. Home care",
        "zone",
        "offer-to-all",
        "neighbours",
        "offer-to-all",
        "exception",
        "open-list",
    ]
    assert len(list(drawing.iter(f"{SVG}rect"))) == 3
    assert sum("marker-end" in each.attrib for each in drawing.iter(f"{SVG}path")) == 2


def test_each_lot_has_a_row() -> None:
    texts = _list_texts(_draw(a_definition_with_lots()))
    assert [each for each in texts if each[0].isdigit()] == [
        "1. A Reablement",
        "2. B Long-term care",
        "3. C Extra care",
    ]


def test_titles_with_markup_are_escaped_and_read_back_as_they_are() -> None:
    definition = a_definition(title=MARKUP, lots=(Lot(lot=LotKey("home-care"), title=MARKUP),))
    text = draw_svg(definition, group_roads(definition))
    assert "<script" not in text
    drawing = ET.fromstring(text)
    assert drawing.findtext(f"{SVG}title") == f"Roads of {MARKUP}, version 1"
    assert f"1. {MARKUP}" in _list_texts(drawing)


def test_a_picture_has_room_for_the_longest_names() -> None:
    stage = SequentialOffers(stage="a" * 40, procedure="sequential-offers", to=Recipients(tiers=(TierKey("tier-1"),)))
    drawing = _draw(a_definition(sourcing=(stage,), lots=(Lot(lot=LotKey("home-care"), title="b" * 200),)))
    box = next(drawing.iter(f"{SVG}rect"))
    assert int(box.attrib["width"]) >= 40 * 8
    width = int(drawing.attrib["viewBox"].split()[2])
    assert width >= 200 * 8
    assert int(box.attrib["x"]) + int(box.attrib["width"]) <= width


def test_boxes_lie_inside_the_picture_and_do_not_overlap() -> None:
    drawing = _draw(a_definition_with_zones())
    boxes = [(int(each.attrib["x"]), int(each.attrib["width"])) for each in drawing.iter(f"{SVG}rect")]
    ends = [left + width for left, width in boxes]
    assert all(end < left for end, (left, _) in zip(ends, boxes[1:], strict=False))
    assert ends[-1] <= int(drawing.attrib["viewBox"].split()[2])


def test_mermaid_has_a_chain_for_each_road() -> None:
    definition = a_definition_with_lots()
    text = draw_mermaid(definition, group_roads(definition))
    assert text.startswith("flowchart LR\n")
    assert '    subgraph r2 ["2. B Long-term care"]\n' in text
    assert '        r2s0["follow-on<br/>designated"]\n        r2s1["zone<br/>sequential-offers"]\n' in text
    assert "        r2s0 -->|nobody accepts| r2s1\n" in text


def test_titles_with_markup_do_not_end_a_mermaid_label() -> None:
    definition = a_definition(lots=(Lot(lot=LotKey("home-care"), title=MARKUP),))
    heading = next(
        line for line in draw_mermaid(definition, group_roads(definition)).splitlines() if "subgraph" in line
    )
    label = heading.removeprefix('    subgraph r1 ["').removesuffix('"]')
    assert not set(label) & set('"<>`')
    assert "#34;quoted#34;" in label
    assert "#60;script#62;" in label
