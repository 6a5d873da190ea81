"""Ctrl-C, also while a program still imports what it needs: it waits until the program listens, and is not lost."""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM)


def hold_back() -> None:
    """From now on, also in the program that this process becomes, they wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)


def let_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)


def listen(heard: Callable[[], object]) -> None:
    """Calls `heard` for each that comes to the running loop, and for one that has waited."""
    for number in _INTERRUPTS:
        asyncio.get_running_loop().add_signal_handler(number, heard)
    let_through()


@contextmanager
def kept_from_children() -> Generator[None]:
    """Processes that this thread starts do not hear of Ctrl-C: they are ended by whoever started them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
