"""`python -m devstack.docs.events_page` writes docs/events.md: every event with its subscribers in all services."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from contracts.catalogue import CATALOGUE, encode
from contracts.documentation import Audience, render_events_page
from contracts.events.base import Event
from contracts.events.frameworks import FrameworkPublished
from contracts.examples import an_example_of
from devstack.docs import openapi
from devstack.home import REPOSITORY
from service_runtime.service import Service
from service_runtime.subscriptions import Subscription
from sourcing.domain.decisions import DECISIONS
from sourcing.handlers import handle_event

PAGE: Final = REPOSITORY / "docs" / "events.md"


def render_page() -> str:
    """The page for the current code."""
    services = list(openapi.build_services())
    audiences = {entry.event: _find_audience(entry.event, services) for entry in CATALOGUE}
    return render_events_page(CATALOGUE, audiences, _encode_examples())


# The services have different units of work, so no narrower type exists.
def _find_audience(event: type[Event], services: list[Service[Any]]) -> Audience:
    return Audience(
        handlers=[
            (service.name, _get_handler_name(each))
            for service in services
            for each in service.subscriptions
            if each.event is event
        ],
        projections=[
            (service.name, view.name)
            for service in services
            for view in service.projections
            if event in view.event_types
        ],
    )


def _get_handler_name(subscription: Subscription[Any]) -> str:
    """The handler's name; for sourcing, whose one handler serves every event, the name of the decision function."""
    handler: Callable[..., object] = subscription.handler
    if handler is handle_event:
        handler = DECISIONS[subscription.event]
    return handler.__name__


def _encode_examples() -> Mapping[type[Event], str]:
    """An example of every event except FrameworkPublished, which is very long; `frameworks/` holds examples of it."""
    events = [entry.event for entry in CATALOGUE if entry.event is not FrameworkPublished]
    return {event: json.dumps(json.loads(encode(an_example_of(event))), indent=2) for event in events}


def is_out_of_date(page: Path = PAGE) -> bool:
    return not page.exists() or page.read_text(encoding="utf-8") != render_page()


def main(arguments: list[str]) -> int:
    if "--check" not in arguments:
        PAGE.write_text(render_page(), encoding="utf-8")
        return 0
    if not is_out_of_date():
        return 0
    sys.stderr.write(f"{PAGE.relative_to(REPOSITORY)} is out of date; run `make docs`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
