"""Pages behind the link of a mail to Alder, for tests."""

from sourcing.api.offer_pages import FormMistake, OfferPage, build_answer_page, build_offer_page
from sourcing.domain.offer import ProviderAnswer
from testkit.sourcing.definitions import a_definition
from testkit.sourcing.search_driver import SearchDriver

DEFINITION = a_definition()


def build_page(driver: SearchDriver, *, mistake: FormMistake | None = None) -> OfferPage:
    """Builds the page of Alder's offer."""
    return build_offer_page(driver.current, driver.find_offer("Alder"), DEFINITION, mistake=mistake)


def answer_as_alder(driver: SearchDriver, reply: ProviderAnswer) -> OfferPage:
    """Answers the offer as Alder; builds the page that follows."""
    step = driver.answer("Alder", reply)
    return build_answer_page(step.outcome, driver.current, driver.find_offer("Alder"), DEFINITION)
