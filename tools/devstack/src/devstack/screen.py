"""How `calloff up` talks: bars and a live table on a terminal, plain lines anywhere else; always on standard error."""

import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from devstack.overview import Overview

_A_LINE_EVERY: Final = 5.0
"""Seconds between two plain lines about what stands where."""
_A_LINE_EACH: Final = 0.25
"""Of a long step, so much between two plain lines."""
_LONG: Final = 2.0
"""Seconds after which a step deserves lines on its way."""


class Step(Protocol):
    """One long thing that is going on."""

    def at(self, share: float) -> None:
        """So much is done, 0 to 1."""
        ...

    def note(self, what: str) -> None:
        """What it is busy with."""
        ...


class Screen(Protocol):
    """Where a person watches the stack come up and work."""

    def step(self, title: str) -> AbstractContextManager[Step]: ...
    def say(self, text: str) -> None: ...
    def welcome(self, text: str) -> None:
        """Everything is up: the steps are over."""
        ...

    def show(self, overview: Overview) -> None: ...
    def close(self) -> None: ...


def screen_for(console: Console) -> Screen:
    return Terminal(console) if console.is_terminal else Lines(console)


class Lines(Screen):
    """Plain lines, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = 0.0

    @contextmanager
    def step(self, title: str) -> Generator[Step]:
        begun = time.monotonic()
        yield _LinesStep(title, self.say)
        self.say(f"{title}: done in {time.monotonic() - begun:.1f} s")

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def welcome(self, text: str) -> None:
        self.say(text)

    def show(self, overview: Overview) -> None:
        if time.monotonic() - self._shown >= _A_LINE_EVERY:
            self._shown = time.monotonic()
            self.say(overview.line())

    def close(self) -> None:
        """Lines stay as they are."""


class _LinesStep(Step):
    def __init__(self, title: str, say: "Say") -> None:
        self._title = title
        self._say = say
        self._begun = time.monotonic()
        self._told = 0.0

    def at(self, share: float) -> None:
        if share - self._told >= _A_LINE_EACH and share < 1 and time.monotonic() - self._begun > _LONG:
            self._told = share
            self._say(f"{self._title}: {share:.0%}")

    def note(self, what: str) -> None:
        """Too much for lines: two hundred of them say no more than the end does."""


class Say(Protocol):
    def __call__(self, text: str) -> None: ...


class Terminal(Screen):
    """Bars while the stack comes up, then one table that stays in its place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console)
        self._progress.start()
        self._live: Live | None = None

    @contextmanager
    def step(self, title: str) -> Generator[Step]:
        task = self._progress.add_task(title, total=None)
        yield _TerminalStep(title, self._progress, task)
        self._progress.update(task, description=title, total=1, completed=1)

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def welcome(self, text: str) -> None:
        self._progress.stop()  # else it would be drawn anew below what is said
        self.say(text)

    def show(self, overview: Overview) -> None:
        if self._live is None:
            self._live = Live(console=self._console, refresh_per_second=4)
            self._live.start()
        self._live.update(overview.table())

    def close(self) -> None:
        self._progress.stop()
        if self._live is not None:
            self._live.stop()


class _TerminalStep(Step):
    def __init__(self, title: str, progress: Progress, task: TaskID) -> None:
        self._title = title
        self._progress = progress
        self._task = task

    def at(self, share: float) -> None:
        self._progress.update(self._task, total=1, completed=share)

    def note(self, what: str) -> None:
        self._progress.update(self._task, description=f"{self._title}: {what}")
