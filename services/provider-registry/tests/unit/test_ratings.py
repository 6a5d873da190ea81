"""Conversion of the ratings in CQC's register."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from contracts.framework.tiers import KeyQuestion
from contracts.values import Rating
from provider_registry.domain.ratings import find_key_question, parse_rating

REGISTER = Path(__file__).parents[5] / "shared/data/cqc/cqc_locations_extract_head.csv"


@pytest.mark.parametrize(
    ("word", "rating"),
    [
        ("Outstanding", Rating.OUTSTANDING),
        ("Good", Rating.GOOD),
        ("Requires improvement", Rating.REQUIRES_IMPROVEMENT),
        ("Requires Improvement", Rating.REQUIRES_IMPROVEMENT),
        (" requires  improvement ", Rating.REQUIRES_IMPROVEMENT),
        ("Inadequate", Rating.INADEQUATE),
        ("No published rating", Rating.NOT_RATED),
        ("Inspected but not rated", Rating.NOT_RATED),
        ("Insufficient evidence to rate", Rating.NOT_RATED),
        ("not rated", Rating.NOT_RATED),
        ("Goodish", Rating.NOT_RATED),
        ("", Rating.NOT_RATED),
        (None, Rating.NOT_RATED),
    ],
)
def test_both_spellings_are_one_rating_and_any_other_word_is_not_rated(word: str | None, rating: Rating) -> None:
    assert parse_rating(word) is rating


@pytest.mark.skipif(not REGISTER.exists(), reason="CQC's register is not on this machine: ../shared/data is absent")
def test_every_rating_of_the_real_register_is_converted() -> None:
    with REGISTER.open(encoding="utf-8-sig", newline="") as register:
        counts = Counter(row["Location Latest Overall Rating"] for row in csv.DictReader(register))
    ratings: Counter[Rating] = Counter()
    for word, times in counts.items():
        ratings[parse_rating(word)] += times
    assert ratings[Rating.REQUIRES_IMPROVEMENT] == counts["Requires improvement"] + counts["Requires Improvement"]
    assert ratings[Rating.NOT_RATED] == counts[""] + counts["Inspected but not rated"]
    assert all(ratings[rating] > 0 for rating in Rating)


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("Safe", KeyQuestion.SAFE),
        ("SAFE", KeyQuestion.SAFE),
        (" well led ", KeyQuestion.WELL_LED),
        ("Well-Led", KeyQuestion.WELL_LED),
        ("Overall", None),
        ("", None),
    ],
)
def test_key_questions_are_matched_by_name(name: str, question: KeyQuestion | None) -> None:
    assert find_key_question(name) is question
