"""How every command talks: a table for people, with `--json` the answer as it came, errors in the service's words."""

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import aiohttp
import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from calloff.client import Caller, SignedHere, http_session
from contracts.errors import CallOffError
from devstack.home import Home, find_home
from devstack.issuer.identities import identity_named
from devstack.issuer.tokens import TokenIssuer
from devstack.keys import Keys
from devstack.record import StackRecord

ResultT = TypeVar("ResultT")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_OFFICE: Final = ZoneInfo("Europe/London")
_WIDEST: Final = 1000

out = Console()
err = Console(stderr=True)


def carry_out(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Do it; an error of ours becomes its text and exit status 1."""
    try:
        return asyncio.run(work)
    except CallOffError as error:
        say_error(error)
        raise typer.Exit(1) from None


def say_error(error: CallOffError, *, of: str | None = None) -> None:
    """The error's text; `of` names the service, where several were asked."""
    who = "" if of is None else f"{of}: "
    err.print(f"{who}{error.title}: {error}", markup=False, highlight=False, soft_wrap=True)


def print_json(body: bytes | str) -> None:
    """For programs, and still readable."""
    typer.echo(json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body else "{}")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, nothing: str) -> None:
    if not rows:
        out.print(nothing)
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*["" if cell is None else str(cell) for cell in row])
    roomy = Console(width=_width_of(table))
    roomy.print(table, crop=False)


def _width_of(table: Table) -> int:
    """The terminal's, unless an id would be cut short: people copy them into the next command."""
    uncut = Measurement.get(out, out.options.update(max_width=_WIDEST), table)
    return max(out.width, uncut.minimum) if out.is_terminal else uncut.maximum


def office_time(at: datetime) -> str:
    """As the clock on the office's wall shows it."""
    return f"{at.astimezone(_OFFICE):%d %b %H:%M:%S}"


class Connection:
    """The stack that runs here, as one command sees it."""

    def __init__(self, home: Home, record: StackRecord, session: aiohttp.ClientSession) -> None:
        self.home = home
        self.record = record
        self._session = session

    def as_(self, name: str) -> Caller:
        """A caller with a token for `council`, `officer`, `provider:<id>`, …"""
        issuer = TokenIssuer(self.record.issuer, Keys.of(self.home))
        return Caller(self._session, SignedHere(issuer), identity_named(name))

    def url(self, service: str, path: str) -> str:
        return f"{self.record.urls[service]}{path}"


@asynccontextmanager
async def connected() -> AsyncGenerator[Connection]:
    """Raises NotRunning."""
    home = find_home()
    record = StackRecord.of(home)
    async with http_session() as session:
        yield Connection(home, record, session)
