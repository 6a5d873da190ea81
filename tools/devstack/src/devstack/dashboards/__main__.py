"""`python -m devstack.dashboards` writes deploy/observability/grafana/dashboards; with --check it only compares."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devstack.dashboards.chain import CHAIN
from devstack.dashboards.council_day import COUNCIL_DAY
from devstack.dashboards.one_service import ONE_SERVICE
from devstack.dashboards.platform import PLATFORM
from devstack.dashboards.rendering import render_dashboard
from devstack.dashboards.webhook_delivery import WEBHOOKS
from devstack.home import REPOSITORY

FOLDER: Final = REPOSITORY / "deploy" / "observability" / "grafana" / "dashboards"
DASHBOARDS: Final = (CHAIN, COUNCIL_DAY, WEBHOOKS, PLATFORM, ONE_SERVICE)


def render_files() -> Mapping[Path, str]:
    """The dashboards' files with their content."""
    return {FOLDER / f"{dashboard.uid}.json": render_dashboard(dashboard) for dashboard in DASHBOARDS}


def find_outdated(files: Mapping[Path, str]) -> list[str]:
    """Lists the files that differ from the definitions, and those that have none."""
    present = set(FOLDER.glob("*.json"))
    wrong = {path for path, content in files.items() if path not in present or path.read_text() != content}
    return sorted(path.name for path in wrong | (present - set(files)))


def main() -> None:
    files = render_files()
    if "--check" not in sys.argv:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for path in set(FOLDER.glob("*.json")) - set(files):
            path.unlink()
        for path, content in files.items():
            path.write_text(content)
        return
    outdated = find_outdated(files)
    if outdated:
        sys.exit(f"out of date: {', '.join(outdated)} in {FOLDER}; run `calloff docs`")


if __name__ == "__main__":
    main()
