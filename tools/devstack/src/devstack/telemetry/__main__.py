"""`python -m devstack.telemetry FILE PORT` runs the OTLP receiver until SIGTERM."""

import asyncio
import signal
import sys
from pathlib import Path

from devstack.issuer.server import serve_app
from devstack.telemetry.archive import TelemetryArchive
from devstack.telemetry.receiver import build_receiver_app


async def run_receiver(file: Path, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    archive = TelemetryArchive(file)
    try:
        async with serve_app(build_receiver_app(archive), port):
            await stop.wait()
    finally:
        archive.close()


if __name__ == "__main__":
    asyncio.run(run_receiver(Path(sys.argv[1]), int(sys.argv[2])))
