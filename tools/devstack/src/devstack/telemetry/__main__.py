"""The receiver as a process of the stack: `python -m devstack.telemetry FILE PORT`, until SIGTERM."""

import asyncio
import signal
import sys
from pathlib import Path

from devstack.issuer.server import serving
from devstack.telemetry.archive import Archive
from devstack.telemetry.receiver import receiver_app


async def receive(file: Path, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    archive = Archive(file)
    try:
        async with serving(receiver_app(archive), port):
            await stop.wait()
    finally:
        archive.close()


if __name__ == "__main__":
    asyncio.run(receive(Path(sys.argv[1]), int(sys.argv[2])))
