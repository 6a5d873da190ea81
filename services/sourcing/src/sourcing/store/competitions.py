"""The tables of competitions and of their texts. Texts are encrypted; a bid is one, before its close and after."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.ids import CouncilKey
from service_runtime.postgres.database import Reader
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.secret_box import SecretBox
from sourcing.domain.competitions.competition import Competition
from sourcing.domain.search import Search
from sourcing.ports import NewText

TABLES: Final = """
CREATE TABLE competitions (
    competition_id uuid PRIMARY KEY,
    package_id uuid NOT NULL REFERENCES searches,
    turn smallint NOT NULL,
    council text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'closed', 'awarded', 'ended')),
    opened_at timestamptz NOT NULL,
    invited uuid[] NOT NULL,
    body jsonb NOT NULL,
    UNIQUE (package_id, turn)
);
CREATE INDEX competitions_of_a_provider ON competitions USING gin (invited);
CREATE INDEX competitions_under_way ON competitions (council, opened_at DESC, competition_id DESC)
    WHERE status IN ('open', 'closed');
CREATE TABLE competition_texts (
    text_id uuid PRIMARY KEY,
    package_id uuid NOT NULL,
    sealed bytea NOT NULL
);
CREATE INDEX texts_of_a_package ON competition_texts (package_id);
"""

# A part of the statement that saves searches (`searches.py`).
SAVE_COMPETITIONS: Final = """
    INSERT INTO competitions
    SELECT * FROM jsonb_populate_recordset(CAST(NULL AS competitions), :rows -> 'competitions')
    ON CONFLICT (competition_id) DO UPDATE SET status = excluded.status, body = excluded.body
"""
COMPETITIONS_OF_SEARCH: Final = """
    (SELECT CAST(coalesce(json_agg(body ORDER BY turn), '[]') AS text) FROM competitions
     WHERE competitions.package_id = searches.package_id)
"""
_PUT_TEXT = text(
    "INSERT INTO competition_texts (text_id, package_id, sealed) VALUES (:text_id, :package_id, :sealed)"
    " ON CONFLICT (text_id) DO NOTHING"
)
_DELETE_TEXT = text("DELETE FROM competition_texts WHERE text_id = :text_id")
_TEXTS = text("SELECT text_id, sealed FROM competition_texts WHERE text_id = ANY(:ids)")
_COMPETITIONS: Final = TypeAdapter(tuple[Competition, ...])


def list_changed_competitions(
    search: Search, before: Search | None, council: CouncilKey
) -> Iterable[tuple[UUID, Mapping[str, object]]]:
    """List the rows of the competitions that were opened or changed, by their ids."""
    saved = set(before.competitions) if before is not None else set[Competition]()
    for turn, competition in enumerate(search.competitions, start=1):
        if competition not in saved:
            yield competition.competition_id, _build_row(search, competition, turn, council)


def parse_competitions(column: str) -> tuple[Competition, ...]:
    return _COMPETITIONS.validate_json(column)


def _build_row(search: Search, competition: Competition, turn: int, council: CouncilKey) -> Mapping[str, object]:
    return {
        "competition_id": competition.competition_id,
        "package_id": search.package_id,
        "turn": turn,
        "council": council,
        "status": competition.status.value,
        "opened_at": competition.opened_at,
        "invited": [each.provider_id for each in competition.invited],
        "body": competition,
    }


class PostgresTexts:
    """The texts of competitions, each encrypted for its own id, so that a row copied to another is unreadable."""

    def __init__(self, work: PostgresUnitOfWork, secret_box: SecretBox) -> None:
        self._work = work
        self._secret_box = secret_box

    def put(self, new: NewText) -> None:
        sealed = self._secret_box.encrypt(new.text, owner=str(new.text_id))
        self._work.write(_PUT_TEXT, {"text_id": new.text_id, "package_id": new.package_id, "sealed": sealed})

    def delete(self, text_id: UUID) -> None:
        self._work.write(_DELETE_TEXT, {"text_id": text_id})

    async def find(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        return await TextReader(self._work.reader, self._secret_box).find(ids)


@dataclass(frozen=True)
class TextReader:
    """Decrypts stored texts."""

    reader: Reader
    secret_box: SecretBox

    async def find(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Return the texts that are stored; an erased one is left out. Raises SecretUnreadable."""
        rows = await self.reader.execute(_TEXTS, {"ids": list(ids)}) if ids else ()
        return {row.text_id: self.secret_box.decrypt(row.sealed, owner=str(row.text_id)) for row in rows}
