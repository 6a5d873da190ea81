"""`python -m devstack.embedded POM FOLDER` downloads Kafka's jars and shows progress."""

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from devstack.embedded import EmbeddedServerError, fetch_kafka_jars


def main() -> int:
    pom, into = map(Path, sys.argv[1:])
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Kafka's jars, by Maven", total=None)
        try:
            fetch_kafka_jars(pom, into, progress=lambda jar: bar.update(task, description=f"Kafka's jars: {jar}"))
        except EmbeddedServerError as error:
            bar.console.print(str(error), markup=False, highlight=False)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
