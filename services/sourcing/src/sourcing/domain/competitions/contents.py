"""What is sealed: the content of a bid, and other texts, each with the salt of the hash that events carry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from contracts.ids import BidId, CompetitionId, CriterionKey, ProviderId
from contracts.sealed_bids import compute_commitment, hash_answers, hash_text
from sourcing.domain.competitions.triggers import UnsealedBid


@dataclass(frozen=True)
class BidContent:
    """What a provider bids; both salts are 32 random bytes in hexadecimal."""

    rate: Decimal
    answers: Mapping[CriterionKey, str]
    salt: str
    answers_salt: str

    @property
    def content_hash(self) -> str:
        return hash_answers(self.answers, salt=self.answers_salt)

    def compute_commitment(self, competition_id: CompetitionId, provider_id: ProviderId) -> str:
        return compute_commitment(
            competition_id=competition_id,
            provider_id=provider_id,
            rate=self.rate,
            content_hash=self.content_hash,
            salt=self.salt,
        )

    def to_unsealed(self, bid_id: BidId) -> UnsealedBid:
        return UnsealedBid(bid_id, self.rate, self.salt, self.content_hash)


def render_content(content: BidContent) -> str:
    """Render the content as JSON."""
    return json.dumps(
        {
            "rate": str(content.rate),
            "answers": {str(key): text for key, text in content.answers.items()},
            "salt": content.salt,
            "answers_salt": content.answers_salt,
        }
    )


def parse_content(text: str) -> BidContent:
    """Parse what `render_content` rendered."""
    found = json.loads(text)
    answers = {CriterionKey(key): str(answer) for key, answer in found["answers"].items()}
    return BidContent(Decimal(found["rate"]), answers, found["salt"], found["answers_salt"])


@dataclass(frozen=True)
class SaltedText:
    """A question, an answer or a note; the salt is 32 random bytes in hexadecimal."""

    text: str
    salt: str

    @property
    def content_hash(self) -> str:
        return hash_text(self.text, salt=self.salt)


def render_text(text: SaltedText) -> str:
    """Render the text as JSON."""
    return json.dumps({"text": text.text, "salt": text.salt})


def parse_text(stored: str) -> SaltedText:
    """Parse what `render_text` rendered."""
    found = json.loads(stored)
    return SaltedText(found["text"], found["salt"])
