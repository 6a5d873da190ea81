"""What all commands share: the `--json` option, the consoles, error messages and the format of instants."""

import asyncio
import json
from collections.abc import Coroutine
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from contracts.errors import CallOffError
from contracts.office_time import to_office_time

ResultT = TypeVar("ResultT")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


out = Console()
err = Console(stderr=True)


def run_command(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Runs a coroutine; a CallOffError becomes its message on standard error and exit status 1."""
    try:
        return asyncio.run(work)
    except CallOffError as error:
        print_error(error)
        raise typer.Exit(1) from None


def print_error(error: CallOffError, *, service: str | None = None) -> None:
    """Prints the error; `service` names the service that raised it, where several were asked."""
    prefix = "" if service is None else f"{service}: "
    err.print(f"{prefix}{error.title}: {error}", markup=False, highlight=False, soft_wrap=True)


def print_json(body: bytes | str) -> None:
    """Prints a JSON document, indented; an empty body as `{}`."""
    typer.echo(json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body else "{}")


def print_line(text: str) -> None:
    """Prints a line as it is: the terminal breaks it, so that ids and commands can be copied."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def print_paragraph(text: str) -> None:
    """Prints text, broken at words to the width of the terminal."""
    out.print(text, markup=False, highlight=False)


def format_office_time(at: datetime) -> str:
    """The local time in London: `30 Nov 08:30:00`."""
    return f"{to_office_time(at):%d %b %H:%M:%S}"
