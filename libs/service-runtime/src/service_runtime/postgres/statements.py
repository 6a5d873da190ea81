"""Statements: compiles SQL with named parameters to PostgreSQL's $1, $2 …, once per statement, and reads rows.

SQLAlchemy's Core compiles a statement and describes its result for each execution; for an event this took about as long
as PostgreSQL itself (decision 0018).
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
"""Size of the cache, which limits memory if statements are generated. A service has a few hundred statements."""
_INTEGER_BITS: Final = 32


@dataclass(frozen=True)
class Prepared:
    """A statement with $1, $2 … as PostgreSQL receives it, and the name of the value for each of them."""

    sql: str
    names: tuple[str, ...]

    def build_arguments(self, values: Mapping[str, object]) -> list[object]:
        return [values[name] for name in self.names]


class Statements:
    """A cache of the compiled statements of one database."""

    def __init__(self) -> None:
        self._prepared: dict[tuple[str, tuple[str, ...], tuple[object, ...]], Prepared] = {}

    def prepare(self, statement: TextClause, values: Mapping[str, object]) -> Prepared:
        """Compiles `statement` for the types of `values`, because PostgreSQL cannot always infer a parameter's type.

        Ignores values that the statement does not name. A name without a value raises KeyError in `build_arguments`.
        """
        key = (statement.text, tuple(values), tuple(map(_classify_value, values.values())))
        prepared = self._prepared.get(key)
        if prepared is None:
            if len(self._prepared) >= _MAX_STATEMENTS:
                self._prepared.clear()
            prepared = self._prepared[key] = _prepare(statement, values)
        return prepared


def _prepare(statement: TextClause, values: Mapping[str, object]) -> Prepared:
    named = statement.compile(dialect=_DIALECT).params.keys()
    bound = {name: value for name, value in values.items() if name in named}
    compiled = statement.bindparams(**bound).compile(dialect=_DIALECT)
    return Prepared(str(compiled), tuple(getattr(compiled, "positiontup", None) or ()))


def _classify_value(value: object) -> object:
    """Returns what determines a value's SQL type: Python type, zone of an instant, size of an integer."""
    if isinstance(value, datetime):
        return datetime, value.tzinfo is not None
    if type(value) is int:
        return int, value.bit_length() >= _INTEGER_BITS
    return type(value)


class Row(Record):
    """A row with its columns as attributes; their types depend on the query, hence Any."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Rows:
    """The rows that a statement returned, in order."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def all(self) -> list[Any]:
        return list(self._rows)

    def first(self) -> Any | None:
        """Returns the first row, or None."""
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any | None:
        """Returns the only row, or None. Raises LookupError if there are several."""
        if len(self._rows) > 1:
            message = f"{len(self._rows)} rows were found, at most one was expected"
            raise LookupError(message)
        return self.first()

    def one(self) -> Any:
        """Returns the only row. Raises LookupError if there is none, or several."""
        row = self.one_or_none()
        if row is None:
            message = "no row was found, one was expected"
            raise LookupError(message)
        return row

    def scalar_one(self) -> Any:
        """Returns the first column of the only row. Raises LookupError if there is none, or several."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any | None:
        """Returns the first column of the only row, or None. Raises LookupError if there are several rows."""
        row = self.one_or_none()
        return None if row is None else row[0]
