"""Ctrl-C during start-up: the signal is blocked while a program imports its modules, and delivered afterwards."""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM)


def block_interrupts() -> None:
    """Blocks SIGINT and SIGTERM in this process, and in the program that replaces it by exec."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)


def unblock_interrupts() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)


def handle_interrupts(callback: Callable[[], object]) -> None:
    """Calls `callback` in the running loop for each SIGINT and SIGTERM, also for one that came while blocked."""
    for number in _INTERRUPTS:
        asyncio.get_running_loop().add_signal_handler(number, callback)
    unblock_interrupts()


@contextmanager
def mask_sigint_for_children() -> Generator[None]:
    """Processes started in this context have SIGINT blocked; the process that starts them ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
