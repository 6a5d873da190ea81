"""Published definitions and proposed ones in PostgreSQL."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, Final

from sqlalchemy import text

from contracts.framework.definition import FrameworkDefinition
from contracts.ids import CouncilKey, FrameworkKey
from provider_registry.domain.proposals import Proposal
from provider_registry.domain.provider import Definitions
from provider_registry.store.ranked_lists import PostgresRankedLists
from service_runtime.postgres.database import Reader

TABLES: Final = """
CREATE TABLE definitions (
    framework text NOT NULL,
    version integer NOT NULL,
    council text NOT NULL,
    first_day date NOT NULL,
    definition jsonb NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    approved_by text NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (framework, version)
);
CREATE INDEX definitions_of_a_council ON definitions (council, framework, version);

CREATE TABLE proposed_definitions (
    framework text PRIMARY KEY,
    council text NOT NULL,
    definition jsonb NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL
);
"""

NEWEST_DEFINITIONS = text(
    """
    SELECT DISTINCT ON (framework) CAST(definition AS text) FROM definitions
    WHERE framework = ANY(CAST(:frameworks AS text[])) ORDER BY framework, version DESC
    """
)
_DEFINITIONS_IN_FORCE = text(
    """
    SELECT DISTINCT ON (framework) CAST(definition AS text) FROM definitions
    WHERE framework = ANY(CAST(:frameworks AS text[])) ORDER BY framework, (first_day <= :on) DESC, version DESC
    """
)
DEFINITIONS_OF_COUNCIL_IN_FORCE = text(
    """
    SELECT DISTINCT ON (framework) CAST(definition AS text) FROM definitions
    WHERE council = :council ORDER BY framework, (first_day <= :on) DESC, version DESC
    """
)
ALL_DEFINITIONS_IN_FORCE = text(
    """
    SELECT DISTINCT ON (framework) CAST(definition AS text) FROM definitions
    ORDER BY framework, (first_day <= :on) DESC, version DESC
    """
)
_FIRST_DAYS = text(
    """
    SELECT DISTINCT first_day FROM definitions
    WHERE framework = ANY(CAST(:frameworks AS text[])) AND first_day > :after
    """
)
DEFINITION = text(
    """
    SELECT council, CAST(definition AS text), published_at FROM definitions
    WHERE framework = :framework AND version = :version
    """
)
FRAMEWORKS_OF_COUNCIL = text(
    """
    SELECT DISTINCT ON (framework) CAST(definition AS text), published_at FROM definitions
    WHERE council = :council ORDER BY framework, version DESC
    """
)
_ADD_DEFINITION = text(
    """
    INSERT INTO definitions (framework, version, council, first_day, definition, proposed_by, proposed_at, approved_by,
                             published_at)
    VALUES (:framework, :version, :council, :first_day, CAST(:definition AS jsonb), :proposed_by, :proposed_at,
            :approved_by, :now)
    """
)
_PROPOSAL = text(
    """
    SELECT CAST(definition AS text), proposed_by, proposed_at FROM proposed_definitions WHERE framework = :framework
    """
)
PROPOSALS_OF_COUNCIL = text(
    """
    SELECT CAST(definition AS text), proposed_by, proposed_at FROM proposed_definitions
    WHERE council = :council ORDER BY proposed_at, framework
    """
)
_SAVE_PROPOSAL = text(
    """
    INSERT INTO proposed_definitions (framework, council, definition, proposed_by, proposed_at)
    VALUES (:framework, :council, CAST(:definition AS jsonb), :proposed_by, :proposed_at)
    ON CONFLICT (framework) DO UPDATE SET
        council = excluded.council, definition = excluded.definition, proposed_by = excluded.proposed_by,
        proposed_at = excluded.proposed_at
    """
)
_REMOVE_PROPOSAL = text("DELETE FROM proposed_definitions WHERE framework = :framework")


class PostgresFrameworks(PostgresRankedLists):
    """Repository of definitions, proposals and ranked lists."""

    async def load_newest(self, frameworks: Iterable[FrameworkKey]) -> Definitions:
        rows = await self._work.execute(NEWEST_DEFINITIONS, {"frameworks": sorted(set(frameworks))})
        return to_definitions(rows)

    async def load_in_force(self, frameworks: Iterable[FrameworkKey], *, on: date) -> Definitions:
        return await load_definitions_in_force(self._work, frameworks, on=on)

    async def load_of_council(self, council: CouncilKey, *, on: date) -> Definitions:
        rows = await self._work.execute(DEFINITIONS_OF_COUNCIL_IN_FORCE, {"council": council, "on": on})
        return to_definitions(rows)

    async def list_first_days(self, frameworks: Iterable[FrameworkKey], *, after: date) -> Collection[date]:
        keys = sorted(set(frameworks))
        if not keys:
            return ()
        rows = await self._work.execute(_FIRST_DAYS, {"frameworks": keys, "after": after})
        return [row.first_day for row in rows]

    async def load_version(self, framework: FrameworkKey, version: int) -> FrameworkDefinition | None:
        arguments = {"framework": framework, "version": version}
        row = (await self._work.execute(DEFINITION, arguments)).one_or_none()
        return None if row is None else to_definition(row)

    async def add(self, proposal: Proposal, *, approved_by: str) -> None:
        definition = proposal.definition
        arguments = {
            **_to_proposal_row(proposal),
            "version": definition.version,
            "first_day": definition.first_day,
            "approved_by": approved_by,
            "now": self._work.now,
        }
        self._work.write(_ADD_DEFINITION, arguments)

    async def find_proposal(self, framework: FrameworkKey) -> Proposal | None:
        row = (await self._work.execute(_PROPOSAL, {"framework": framework})).one_or_none()
        return None if row is None else to_proposal(row)

    async def save_proposal(self, proposal: Proposal) -> None:
        self._work.write(_SAVE_PROPOSAL, _to_proposal_row(proposal))

    async def remove_proposal(self, framework: FrameworkKey) -> None:
        self._work.write(_REMOVE_PROPOSAL, {"framework": framework})


def _to_proposal_row(proposal: Proposal) -> dict[str, object]:
    definition = proposal.definition
    return {
        "framework": definition.framework,
        "council": definition.council,
        "definition": definition.model_dump_json(),
        "proposed_by": proposal.proposed_by,
        "proposed_at": proposal.proposed_at,
    }


async def load_definitions_in_force(reader: Reader, frameworks: Iterable[FrameworkKey], *, on: date) -> Definitions:
    """Returns of each framework its newest version that is in force on a day, else its newest one."""
    keys = sorted(set(frameworks))
    if not keys:
        return {}
    return to_definitions(await reader.execute(_DEFINITIONS_IN_FORCE, {"frameworks": keys, "on": on}))


def to_definitions(rows: Iterable[Any]) -> Definitions:  # a row's attributes are its columns
    found = (to_definition(row) for row in rows)
    return {definition.framework: definition for definition in found}


def to_definition(row: Any) -> FrameworkDefinition:  # a row's attributes are its columns
    return FrameworkDefinition.model_validate_json(row.definition)


def to_proposal(row: Any) -> Proposal:  # a row's attributes are its columns
    return Proposal(to_definition(row), row.proposed_by, row.proposed_at)
