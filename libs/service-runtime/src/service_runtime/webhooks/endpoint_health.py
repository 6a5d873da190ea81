"""Health of endpoints: an endpoint that fails for long is announced to its owner, and disabled if it goes on failing.

The first webhook that is given up marks the endpoint and arms a timer on the stream of its owner. The timer looks at
the attempts since then: an endpoint that has accepted anything meanwhile has recovered.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Protocol

from contracts.precedence import Precedence
from service_runtime.timers.timers import Timer
from service_runtime.unit_of_work.unit_of_work import UnitOfWork

CHECK_ENDPOINT: Final = "endpoint-check"
"""Kind of the timer that looks at a failing endpoint; it is about the owner."""
FAILING: Final = "failing"
"""The reason stored for an endpoint that was disabled because it failed for long."""
LAST_ANSWERS: Final = 5


@dataclass(frozen=True)
class FailureTerms:
    """When the owner of a failing endpoint is notified, and how long after that the endpoint is disabled."""

    topic: str
    """The topic of the owners' streams."""
    notice_after: timedelta = timedelta(hours=24)
    disable_after: timedelta = timedelta(days=5)


@dataclass(frozen=True)
class EndpointAnswer:
    """One attempt, as in the delivery log, without anything of the answer's body."""

    at: datetime
    status: int | None
    failure: str
    took: timedelta


@dataclass(frozen=True)
class EndpointHealth:
    """What the attempts since `failing_since` say about an enabled endpoint that is marked as failing."""

    failing_since: datetime
    notice_at: datetime | None
    has_succeeded: bool
    others_fail_too: bool
    """True if several endpoints fail and none has accepted anything: then the fault is probably on this side."""
    answers: tuple[EndpointAnswer, ...]
    """The last failed attempts, the newest first."""


class EndpointHealthRepository(Protocol):
    async def load(self, owner: str) -> EndpointHealth | None:
        """Returns None for an endpoint that is missing, disabled, or not marked as failing."""
        ...

    def record_notice(self, owner: str, health: EndpointHealth) -> None: ...
    def clear(self, owner: str, health: EndpointHealth) -> None: ...


class EndpointDisabling(Protocol):
    async def disable(self, owner: str, *, because: str) -> bool: ...


class HealthWork(UnitOfWork, Protocol):
    """The part of a unit of work that checks of endpoints use."""

    @property
    def endpoints(self) -> EndpointDisabling: ...
    @property
    def endpoint_health(self) -> EndpointHealthRepository: ...
    @property
    def failure_terms(self) -> FailureTerms: ...


@dataclass(frozen=True)
class FailingEndpoint:
    """The owner is to be notified; without a success the endpoint is disabled from `disabled_from` on."""

    owner: str
    since: datetime
    disabled_from: datetime
    answers: tuple[EndpointAnswer, ...]


@dataclass(frozen=True)
class DisabledEndpoint:
    """The endpoint was disabled after it had failed since then."""

    owner: str
    since: datetime
    answers: tuple[EndpointAnswer, ...]


class Verdict(Enum):
    WAIT = "wait"
    RECOVERED = "recovered"
    NOTIFY = "notify"
    DISABLE = "disable"


def assess(health: EndpointHealth, terms: FailureTerms, *, now: datetime) -> Verdict:
    """Decides about a failing endpoint at `now`.

    A single failure is not enough: the owner is notified if the last failure is at least half of `notice_after` later
    than the first one, and the endpoint is disabled if it has failed after the notice.
    """
    if health.has_succeeded:
        return Verdict.RECOVERED
    if health.others_fail_too or not health.answers:
        return Verdict.WAIT
    last_failure = health.answers[0].at
    if health.notice_at is None:
        is_long = now >= health.failing_since + terms.notice_after
        is_repeated = last_failure - health.failing_since >= terms.notice_after / 2
        return Verdict.NOTIFY if is_long and is_repeated else Verdict.WAIT
    is_over = now >= health.notice_at + terms.disable_after
    return Verdict.DISABLE if is_over and last_failure >= health.notice_at else Verdict.WAIT


async def check_endpoint(owner: str, work: HealthWork) -> FailingEndpoint | DisabledEndpoint | None:
    """Looks at the endpoint for its timer, and arms the next one. Returns what its owner is to be told, if anything."""
    health = await work.endpoint_health.load(owner)
    if health is None:
        return None
    terms = work.failure_terms
    match assess(health, terms, now=work.now):
        case Verdict.RECOVERED:
            work.endpoint_health.clear(owner, health)
        case Verdict.NOTIFY:
            work.endpoint_health.record_notice(owner, health)
            work.schedule(build_check(owner, _find_next_check(work.now, work.now, terms)))
            return FailingEndpoint(owner, health.failing_since, work.now + terms.disable_after, health.answers)
        case Verdict.DISABLE:
            await work.endpoints.disable(owner, because=FAILING)
            return DisabledEndpoint(owner, health.failing_since, health.answers)
        case Verdict.WAIT:
            work.schedule(build_check(owner, _find_next_check(health.notice_at, work.now, terms)))
    return None


def build_check(owner: str, at: datetime) -> Timer:
    return Timer(CHECK_ENDPOINT, owner, at, Precedence.UNDELIVERABLE)


def _find_next_check(notice_at: datetime | None, now: datetime, terms: FailureTerms) -> datetime:
    """Returns when to look again: after a quarter of `notice_after`, or when the endpoint is to be disabled."""
    following = now + terms.notice_after / 4
    end = None if notice_at is None else notice_at + terms.disable_after
    return following if end is None or end <= now else min(following, end)
