"""Runs `calloff up` and other commands in processes, as an operator does, and reads what they print."""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil

from devstack.home import HOME_VARIABLE, REPOSITORY, Home
from devstack.record import StackRecord
from testkit.waiting import wait_until

START_TIMEOUT: Final = 300
"""Seconds in which a stack starts, also on a machine that is busy with other work."""

Json = dict[str, Any]  # what commands print is compared as it came


@dataclass(frozen=True)
class StackProcess:
    """A process that runs `calloff up`. `screen` is the file with its standard error."""

    home: Home
    process: Process
    screen: Path

    @property
    def output(self) -> str:
        """The text on standard error so far."""
        return self.screen.read_text()

    async def interrupt(self) -> Json:
        """Sends Ctrl-C and returns the summary."""
        self.process.send_signal(signal.SIGINT)
        return await self.read_summary()

    async def read_summary(self) -> Json:
        """Waits for the end of the process and returns the JSON on standard output. Requires the exit status 0."""
        printed, _ = await self.process.communicate()
        assert self.process.returncode == 0, self.output
        return json.loads(printed)


async def start_command(home: Home, *arguments: str, errors: int = DEVNULL) -> Process:
    """Starts `calloff` with these arguments on `home`; `errors` is the file descriptor for standard error."""
    environment = {**os.environ, HOME_VARIABLE: str(home.folder)}
    command = (sys.executable, "-m", "calloff", *arguments)
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=errors)


async def run_command(home: Home, *arguments: str) -> str:
    """Runs `calloff` to its end and returns its standard output."""
    printed, _ = await (await start_command(home, *arguments)).communicate()
    return printed.decode().strip()


async def read_json(home: Home, *arguments: str) -> Json:
    """Runs `calloff … --json` and returns the object it prints; empty if the command fails."""
    return json.loads(await run_command(home, *arguments, "--json") or "{}")


@asynccontextmanager
async def start_stack(home: Home, *arguments: str) -> AsyncGenerator[StackProcess]:
    """Starts a stack on free ports, waits until it is up, and ends it on exit."""
    screen = home.folder.with_name(f"screen-{time.monotonic_ns()}.txt")
    with screen.open("wb") as shown:
        process = await start_command(home, "up", "--free-ports", "--json", *arguments, errors=shown.fileno())
    stack = StackProcess(home, process, screen)
    try:
        await wait_until(
            lambda: "Call-off is up" in stack.output or process.returncode is not None, within=START_TIMEOUT
        )
        assert "Call-off is up" in stack.output, stack.output
        yield stack
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.communicate()


@dataclass(frozen=True)
class StackClient:
    """A client of one service, with the token that `calloff token` issued."""

    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str, **parameters: str) -> Json:
        async with self.session.get(self.url + path, params=parameters) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def post(self, path: str, body: Json, *, status: int) -> Json:
        async with self.session.post(self.url + path, json=body) as response:
            assert response.status == status, await response.text()
            return await response.json()


@asynccontextmanager
async def connect_client(stack: StackProcess, name: str, service: str) -> AsyncGenerator[StackClient]:
    token = await run_command(stack.home, "token", "--as", name)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        yield StackClient(session, StackRecord.load(stack.home).urls[service])


def link_postcodes(home: Home) -> None:
    """Creates `home` with a link to the checkout's postcode index, which takes long to build."""
    shared = Home(REPOSITORY / ".calloff").postcodes
    shared.mkdir(parents=True, exist_ok=True)
    home.folder.mkdir()
    home.postcodes.symlink_to(shared)


async def copy_home(source: Home, target: Home) -> None:
    """Copies the folder of a stopped stack; Kafka's index files, which are mostly holes, keep their holes."""
    command = ("cp", "--archive", "--sparse=always", str(source.folder), str(target.folder))
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0


def find_processes(home: Home) -> list[str]:
    """Finds processes with this folder on their command line or in their environment; empty after a clean end."""
    described = [_describe_process(process) for process in psutil.process_iter()]
    return [text for text in described if str(home.folder) in text]


def _describe_process(process: psutil.Process) -> str:
    try:
        return " ".join([str(process.pid), *process.cmdline(), *process.environ().values()])
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""
