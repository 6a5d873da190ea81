"""Loads and verifies the records that the routes about one package read."""

from collections.abc import Sequence

from audit.domain.errors import PackageArchived, PackageNotFound
from audit.domain.trail import select_first_occurrences
from audit.domain.verification import VerifiedRecord, verify_record, verify_streams
from audit.ports import RecordQueries
from contracts.events.base import Event
from contracts.ids import CouncilKey, PackageId


async def load_package_rows(
    package_id: PackageId, council: CouncilKey, queries: RecordQueries, *, archives: Sequence[str]
) -> Sequence[VerifiedRecord]:
    """Loads the events of a package. Raises PackageArchived if all its events are in `archives`.

    Raises PackageNotFound if there is no such package, or if it belongs to another council.
    """
    rows = select_first_occurrences(verify_streams(await queries.find_by_package(package_id)), council)
    if not rows:
        raise PackageArchived(archives) if archives else PackageNotFound
    return rows


async def load_verified(
    topic: str, subjects: Sequence[str], kinds: Sequence[type[Event]], queries: RecordQueries
) -> list[VerifiedRecord]:
    """Loads events of some types. Each is verified by itself, without the chain: events between them are not loaded."""
    rows = await queries.find_by_subjects(topic, subjects, [kind.get_type_name() for kind in kinds])
    return [verify_record(row) for row in rows]
