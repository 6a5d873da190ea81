"""Commitments: a bid is published as a hash before the close, and anybody can check it against what is opened then.

The commitment is SHA-256 of a random salt and the canonical bid. The salt is revealed with the bid, so that before the
close nobody can find the rate by trying all rates. Texts are hashed with a salt of their own, which is stored and
erased with the text: an event then says nothing about a text that was erased.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256

from contracts.ids import CompetitionId, CriterionKey, ProviderId


def compute_commitment(
    *, competition_id: CompetitionId, provider_id: ProviderId, rate: Decimal, content_hash: str, salt: str
) -> str:
    """Returns the commitment of a bid; `rate` in pounds, hashes and salt in hexadecimal."""
    bid = {
        "competition_id": str(competition_id),
        "content_hash": content_hash,
        "provider_id": str(provider_id),
        "rate": f"{rate:.2f}",
    }
    return _hash(salt, bid)


def hash_answers(answers: Mapping[CriterionKey, str], *, salt: str) -> str:
    """Returns the hash of a bid's answers to the criteria."""
    return _hash(salt, {str(key): answer for key, answer in answers.items()})


def hash_text(text: str, *, salt: str) -> str:
    """Returns the hash of a question, an answer or a note."""
    return _hash(salt, {"text": text})


def _hash(salt: str, value: Mapping[str, str]) -> str:
    """Hashes the salt and the value as JSON: keys sorted, no spaces, UTF-8."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(f"{salt}{canonical}".encode()).hexdigest()
