"""Sentences of a list: what to do, until when by the clock in London, and that the list has moved."""

from datetime import UTC, datetime

from list_documents.wording import format_instant, list_sentences
from testkit.listed_documents import a_batching_list, an_available_packages_list


def test_the_time_is_that_of_london_in_summer_and_in_winter() -> None:
    assert format_instant(datetime(2026, 7, 1, 9, tzinfo=UTC)) == "10:00 on Wednesday 1 July 2026 (UK time)"
    assert format_instant(datetime(2026, 12, 1, 10, tzinfo=UTC)) == "10:00 on Tuesday 1 December 2026 (UK time)"


def test_seconds_are_shown_where_there_are_any() -> None:
    assert format_instant(datetime(2026, 12, 1, 10, 0, 59, tzinfo=UTC)).startswith("10:00:59 on")


def test_a_batching_list_says_by_when_it_is_returned_and_that_yes_is_no_acceptance() -> None:
    first, second = list_sentences(a_batching_list(), in_file=True)
    assert first == (
        "Answer Yes for each package that interests you, "
        "then save the file and send it back by 10:00 on Wednesday 8 April 2026 (UK time)."
    )
    assert "not yet an acceptance" in second


def test_an_available_packages_list_says_what_a_proposal_needs_and_names_no_end() -> None:
    first, second, *_ = list_sentences(an_available_packages_list(), in_file=True)
    assert first == "To take a package, give the rate that you propose for it, then save the file and send it back."
    assert "Your newest proposal for a package replaces your older one." in second


def test_a_page_is_sent_and_no_file() -> None:
    assert "then send the page by" in next(list_sentences(a_batching_list(), in_file=False))


def test_a_list_that_moved_over_a_bank_holiday_says_so() -> None:
    sentences = list(list_sentences(an_available_packages_list(), in_file=True))
    assert "This list moved from Monday 6 April 2026, a bank holiday, to Tuesday 7 April 2026." in sentences
    assert "The next list is due on Thursday 9 April 2026." in sentences
    assert "Packages in the areas that you serve stand first: Northmoor." in sentences


def test_a_list_on_its_usual_day_does_not_mention_a_bank_holiday() -> None:
    document = an_available_packages_list(moved_from=None, next_list_on=None, recipient_areas=())
    assert len(list(list_sentences(document, in_file=True))) == 2
