"""What the routes of competitions share: their queries, whose competition it is, and texts to be stored."""

import secrets
from typing import Annotated, Final
from uuid import UUID

from contracts.catalogue import PACKAGES
from contracts.ids import CompetitionId, NoteId, PackageId
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller
from service_runtime.observability.tracing import set_subject
from sourcing.domain.competitions.competition import Competition
from sourcing.domain.competitions.contents import SaltedText, render_text
from sourcing.domain.competitions.errors import CompetitionNotFound
from sourcing.domain.search import Search
from sourcing.ports import CompetitionQueries, NewText

Competitions = Annotated[CompetitionQueries, inject(CompetitionQueries)]
_SALT_BYTES: Final = 32


def draw_salt() -> str:
    """Draw 32 random bytes in hexadecimal."""
    return secrets.token_hex(_SALT_BYTES)


def salt_text(text: str) -> SaltedText:
    return SaltedText(text, draw_salt())


def build_note(text: SaltedText, text_id: UUID, package_id: PackageId) -> NewText:
    return NewText(text_id, package_id, render_text(text))


def get_note_id(notes: tuple[NewText, ...]) -> NoteId | None:
    return NoteId(notes[0].text_id) if notes else None


def get_competition(search: Search, competition_id: UUID) -> Competition:
    """Return the package's competition. Raises CompetitionNotFound."""
    found = next((each for each in search.competitions if each.competition_id == competition_id), None)
    if found is None:
        raise CompetitionNotFound
    return found


async def find_competing_search(competition_id: UUID, caller: Caller, competitions: CompetitionQueries) -> Search:
    """Find the search with this competition. Raises CompetitionNotFound for another council's."""
    details = await competitions.find_search(CompetitionId(competition_id))
    if details is None or details.council != caller.council:
        raise CompetitionNotFound
    set_subject(PACKAGES, str(details.search.package_id))
    return details.search


async def find_own_competition(
    competition_id: UUID, caller: Caller, competitions: CompetitionQueries
) -> tuple[Search, Competition]:
    """Find a competition. Raises CompetitionNotFound, also for one to which the caller is not invited."""
    search = await find_competing_search(competition_id, caller, competitions)
    competition = get_competition(search, competition_id)
    if not competition.is_invited(caller.as_provider):
        raise CompetitionNotFound
    return search, competition
