"""Progress of `calloff up` on standard error: bars and a live table on a terminal, plain lines elsewhere."""

import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from devstack.overview import Overview

_OVERVIEW_INTERVAL: Final = 5.0
"""Seconds between two plain lines with an overview."""
_PROGRESS_INCREMENT: Final = 0.25
"""The share of a long step between two plain lines."""
_LONG_STEP: Final = 2.0
"""Seconds after which a step prints its progress."""


class Step(Protocol):
    """A step of the start-up that is in progress."""

    def set_progress(self, share: float) -> None:
        """Shows the share that is done, from 0 to 1."""
        ...

    def set_detail(self, what: str) -> None:
        """Shows what the step is working on."""
        ...


class Screen(Protocol):
    """Shows the start-up of the stack, and then its state."""

    def show_step(self, title: str) -> AbstractContextManager[Step]: ...
    def print_text(self, text: str) -> None: ...
    def end_startup(self, text: str) -> None:
        """Ends the display of steps and prints the text."""
        ...

    def show_overview(self, overview: Overview) -> None: ...
    def close(self) -> None: ...


def create_screen(console: Console) -> Screen:
    return TerminalScreen(console) if console.is_terminal else PlainScreen(console)


class PlainScreen(Screen):
    """Plain lines, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = 0.0

    @contextmanager
    def show_step(self, title: str) -> Generator[Step]:
        begun = time.monotonic()
        yield _PlainStep(title, self.print_text)
        self.print_text(f"{title}: done in {time.monotonic() - begun:.1f} s")

    def print_text(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def end_startup(self, text: str) -> None:
        self.print_text(text)

    def show_overview(self, overview: Overview) -> None:
        if time.monotonic() - self._shown >= _OVERVIEW_INTERVAL:
            self._shown = time.monotonic()
            self.print_text(overview.render_line())

    def close(self) -> None:
        """Does nothing: lines are final."""


class _PlainStep(Step):
    def __init__(self, title: str, print_text: "PrintText") -> None:
        self._title = title
        self._print_text = print_text
        self._begun = time.monotonic()
        self._printed_share = 0.0

    def set_progress(self, share: float) -> None:
        if (
            share - self._printed_share >= _PROGRESS_INCREMENT
            and share < 1
            and time.monotonic() - self._begun > _LONG_STEP
        ):
            self._printed_share = share
            self._print_text(f"{self._title}: {share:.0%}")

    def set_detail(self, what: str) -> None:
        """Prints nothing: details are too many for plain lines."""


class PrintText(Protocol):
    def __call__(self, text: str) -> None: ...


class TerminalScreen(Screen):
    """Progress bars during start-up, then one table that is updated in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console)
        self._progress.start()
        self._live: Live | None = None

    @contextmanager
    def show_step(self, title: str) -> Generator[Step]:
        task = self._progress.add_task(title, total=None)
        yield _TerminalStep(title, self._progress, task)
        self._progress.update(task, description=title, total=1, completed=1)

    def print_text(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def end_startup(self, text: str) -> None:
        self._progress.stop()  # otherwise the bars would be drawn again below the text
        self.print_text(text)

    def show_overview(self, overview: Overview) -> None:
        if self._live is None:
            self._live = Live(console=self._console, refresh_per_second=4)
            self._live.start()
        self._live.update(overview.render_tables())

    def close(self) -> None:
        self._progress.stop()
        if self._live is not None:
            self._live.stop()


class _TerminalStep(Step):
    def __init__(self, title: str, progress: Progress, task: TaskID) -> None:
        self._title = title
        self._progress = progress
        self._task = task

    def set_progress(self, share: float) -> None:
        self._progress.update(self._task, total=1, completed=share)

    def set_detail(self, what: str) -> None:
        self._progress.update(self._task, description=f"{self._title}: {what}")
