"""`python -m devstack.docs.events_page` writes docs/events.md: every event, with those who follow it in any service."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from contracts.catalogue import CATALOGUE, encode
from contracts.documentation import Audience, page_of_events
from contracts.events.base import Event
from contracts.events.frameworks import FrameworkPublished
from devstack.docs import openapi
from devstack.home import REPOSITORY
from service_runtime.service import Service
from testkit.contract_examples import an_example_of

PAGE: Final = REPOSITORY / "docs" / "events.md"


def text() -> str:
    """The page as the code has it now."""
    services = list(openapi.services())
    audiences = {entry.event: _audience(entry.event, services) for entry in CATALOGUE}
    return page_of_events(CATALOGUE, audiences, _examples())


# Services' units of work differ, so there is no narrower type.
def _audience(event: type[Event], services: list[Service[Any]]) -> Audience:
    return Audience(
        handlers=[
            (service.name, _name_of(each.handler))
            for service in services
            for each in service.subscriptions
            if each.event is event
        ],
        views=[
            (service.name, view.name)
            for service in services
            for view in service.projections
            if event in view.event_types
        ],
    )


def _name_of(handler: Callable[..., object]) -> str:
    return handler.__name__


def _examples() -> Mapping[type[Event], str]:
    """Of every event but one: a definition is longer than all others together, and lies in `frameworks/`."""
    events = [entry.event for entry in CATALOGUE if entry.event is not FrameworkPublished]
    return {event: json.dumps(json.loads(encode(an_example_of(event))), indent=2) for event in events}


def is_out_of_date(page: Path = PAGE) -> bool:
    return not page.exists() or page.read_text(encoding="utf-8") != text()


def main(arguments: list[str]) -> int:
    if "--check" not in arguments:
        PAGE.write_text(text(), encoding="utf-8")
        return 0
    if not is_out_of_date():
        return 0
    sys.stderr.write(f"{PAGE.relative_to(REPOSITORY)} is not what the code says; run `make docs`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
