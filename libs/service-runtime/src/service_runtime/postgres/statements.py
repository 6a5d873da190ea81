"""SQL with names for what is filled in, made into what PostgreSQL prepares: once for each statement, not each time.

SQLAlchemy's Core does this anew for every execution, together with a description of the result that nobody here asks
for; on the way of every event that took about as long as PostgreSQL itself (decision 0018).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Record
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

NO_VALUES: Final[Mapping[str, object]] = {}
_DIALECT: Final = PGDialect_asyncpg()
_MAX_STATEMENTS: Final = 2_000
"""A service has a few hundred statements; whoever makes new ones each time must not fill the memory."""
_INTEGER_BITS: Final = 32


@dataclass(frozen=True)
class Prepared:
    """The text that PostgreSQL gets, with $1, $2 …, and which named value each of them stands for."""

    sql: str
    names: tuple[str, ...]

    def build_arguments(self, values: Mapping[str, object]) -> list[object]:
        return [values[name] for name in self.names]


class Statements:
    """The statements of one database, as they were prepared."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[str, ...], tuple[object, ...]], Prepared] = {}

    def prepare(self, statement: TextClause, values: Mapping[str, object]) -> Prepared:
        """`statement` for values of these types: what a $1 is cannot always be told from where it stands.

        Values that it does not name are left out. Raises KeyError at last for a name without a value.
        """
        key = (statement.text, tuple(values), tuple(map(_classify_value, values.values())))
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MAX_STATEMENTS:
                self._known.clear()
            known = self._known[key] = _prepare(statement, values)
        return known


def _prepare(statement: TextClause, values: Mapping[str, object]) -> Prepared:
    named = statement.compile(dialect=_DIALECT).params.keys()
    filled_in = {name: value for name, value in values.items() if name in named}  # others may say more than it asks
    compiled = statement.bindparams(**filled_in).compile(dialect=_DIALECT)
    return Prepared(str(compiled), tuple(getattr(compiled, "positiontup", None) or ()))


def _classify_value(value: object) -> object:
    """What a value's SQL type is told by: its own type, whether an instant has a zone, whether an integer is big."""
    if isinstance(value, datetime):
        return datetime, value.tzinfo is not None
    if type(value) is int:
        return int, value.bit_length() >= _INTEGER_BITS
    return type(value)


class Row(Record):
    """A row whose columns are read by their names; what they hold is the query's business, and so Any."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Rows:
    """What a statement found, in its order."""

    def __init__(self, found: Sequence[Any]) -> None:
        self._found = found

    def __iter__(self) -> Iterator[Any]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def all(self) -> list[Any]:
        return list(self._found)

    def first(self) -> Any | None:
        """The first row, or None."""
        return self._found[0] if self._found else None

    def one_or_none(self) -> Any | None:
        """The only row, or None. Raises LookupError when there are several."""
        if len(self._found) > 1:
            message = f"{len(self._found)} rows were found where at most one belongs"
            raise LookupError(message)
        return self.first()

    def one(self) -> Any:
        """The only row. Raises LookupError when there is none, or several."""
        row = self.one_or_none()
        if row is None:
            message = "no row was found where one belongs"
            raise LookupError(message)
        return row

    def scalar_one(self) -> Any:
        """The first column of the only row. Raises LookupError when there is none, or several."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any | None:
        """The first column of the only row, or None without a row. Raises LookupError when there are several."""
        row = self.one_or_none()
        return None if row is None else row[0]
