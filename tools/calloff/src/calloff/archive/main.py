"""`calloff archive`: verifies archive files and shows a package's events in them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from calloff.archive.files import ArchiveResult, ArchiveSet, open_archives, read_trail, verify_archives
from calloff.client import ResponseModel
from calloff.commands.output import JsonOption, print_error, print_json, print_line, print_paragraph, run_command
from calloff.commands.tables import print_table
from calloff.connection import connect_to_stack
from contracts.errors import CallOffError
from devstack.names import AUDIT

app = typer.Typer(help="Files into which old months of a journal or of the record were moved.", no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(help="Archives of one table, with their manifests beside them.")]


class ListedArchive(ResponseModel):
    name: str
    sha256: str


class ListedArchives(ResponseModel):
    """What audit lists: its archives, and the digest of the events after which its chains continue."""

    archives: tuple[ListedArchive, ...]
    heads: str


@app.command("verify")
def verify_files(
    files: Files,
    *,
    against_audit: Annotated[bool, typer.Option(help="Compare the files with those that audit lists, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare files with their manifests, and recompute hashes and chains; exit status 1 where one does not match."""
    try:
        archives = open_archives(files)
        result = verify_archives(archives)
    except CallOffError as error:
        print_error(error)
        raise typer.Exit(1) from None
    differences = compare(archives, result, run_command(_fetch_listed())) if against_audit else []
    if as_json:
        print_json(json.dumps({**asdict(result), "differences": differences}, default=str))
    else:
        count = "1 archive" if len(files) == 1 else f"{len(files)} archives"
        summary = f"{result.records} records in {result.streams} streams of {count} were verified"
        print_paragraph(f"{summary}; {result.found or 'no'} faults")
        print_table(("what", "where", "event"), result.faults, empty="All files, hashes and chains match.")
        for difference in differences:
            print_line(difference)
    raise typer.Exit(int(result.found > 0 or bool(differences)))


@app.command("trail")
def show_archived_trail(package_id: UUID, files: Files, *, as_json: JsonOption = False) -> None:
    """Show each archived event of a package in one line; exit status 1 where an event does not verify."""
    try:
        lines = read_trail(open_archives(files), package_id)
    except CallOffError as error:
        print_error(error)
        raise typer.Exit(1) from None
    if as_json:
        print_json(json.dumps([asdict(line) for line in lines], default=str))
    else:
        rows = [
            (line.number, line.local, line.what, line.who, line.why.text, "yes" if line.verified else "NO")
            for line in lines
        ]
        empty = "The files have no event of the package."
        print_table(("line", "when", "what", "who", "why", "verified"), rows, empty=empty)
    raise typer.Exit(int(not all(line.verified for line in lines)))


def compare(archives: ArchiveSet, result: ArchiveResult, listed: ListedArchives) -> list[str]:
    """Returns how the files differ from what audit lists: one sentence each."""
    digests = {each.name: each.sha256 for each in listed.archives}
    given = {manifest.name: manifest.sha256 for _, manifest in archives.files}
    differences = [f"{name} is listed by audit and was not given" for name in digests if name not in given]
    differences += [f"{name} is not listed by audit" for name in given if name not in digests]
    differences += [
        f"{name} is not the file whose SHA-256 audit has stored"
        for name, sha256 in given.items()
        if digests.get(name, sha256) != sha256
    ]
    if not differences and result.heads_digest != listed.heads:
        differences.append("audit's chains do not continue after the last events of the archives")
    return differences


async def _fetch_listed() -> ListedArchives:
    async with connect_to_stack() as stack:
        response = await stack.create_client("officer").get(stack.get_url(AUDIT, "/v1/archives"))
        return response.parse(ListedArchives)


if __name__ == "__main__":
    app(prog_name="calloff archive")
