"""An invented council asks all providers at once and takes the lowest price of those that accept."""

from pathlib import Path

from contracts.definitions import read_definition
from contracts.framework.life import JoiningMode
from contracts.framework.stages import OfferToAll
from contracts.review.explanation import explain_definition
from contracts.values import Order

FILE = Path(__file__).parents[2] / "frameworks" / "devon-like.yaml"
FRAMEWORK = read_definition(FILE.read_text(encoding="utf-8"), source=FILE.name)


def test_all_are_asked_at_once_and_the_lowest_price_gets_the_package() -> None:
    (stage,) = FRAMEWORK.sourcing
    assert isinstance(stage, OfferToAll)
    assert stage.order == (Order.PRICE, Order.DRAW)
    text = explain_definition(FRAMEWORK)
    assert "The active providers of the area (Contracted providers) are asked at once." in text
    assert "the price of this package, the lowest first (ties: a draw with a recorded seed)" in text


def test_the_framework_is_closed_and_its_prices_are_invented() -> None:
    assert FRAMEWORK.joining.mode is JoiningMode.CLOSED
    assert FRAMEWORK.prices.invented
