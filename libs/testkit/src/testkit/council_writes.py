"""Valid requests that would change something of another council, if they were not refused."""

from collections.abc import Mapping
from typing import Final

from devstack.issuer.identities import PROVIDER, make_client_id
from devstack.names import PRICING, REFERRAL, REGISTRY, SOURCING
from testkit.council_traces import Attempt, CouncilTraces, Json

_PROFILE: Final = {"name": "Elsewhere Care", "turnover": "1.00", "turnover_evidence": "none", "phone": "01632 960000"}
_BRANCH: Final = {
    "name": "office",
    "outward_code": "CM1",
    "domiciliary_care": True,
    "rating": "Inadequate",
    "published_on": "2026-01-05",
}
_ENDPOINT: Final = {"url": "https://elsewhere.example/webhooks"}

Ids = Mapping[str, str]


class _Attacker:
    """Makes attempts with the clients of one council."""

    def __init__(self, traces: CouncilTraces) -> None:
        self.council = traces.council
        self.provider = f"{PROVIDER}{traces.choose(0)['provider_id']}"

    def attempt(self, name: str, request: str, service: str, body: Json | None = None) -> Attempt:
        method, _, path = request.partition(" ")
        return Attempt(make_client_id(self.council, name), method, service, path, body)


def list_writes(attacker: CouncilTraces, victim: CouncilTraces) -> list[Attempt]:
    """Lists requests of one council's clients that would change something of the other council."""
    ids, who = victim.choose(0), _Attacker(attacker)
    return [
        *_list_writes_about_packages(ids, who),
        *_list_writes_about_providers(ids, who),
        *_list_writes_about_frameworks(ids, who),
    ]


def _list_writes_about_packages(ids: Ids, who: _Attacker) -> list[Attempt]:
    package, offer = f"/v1/packages/{ids['package_id']}", f"/v1/offers/{ids['offer_id']}"
    price, parked = f"/v1/spot-prices/{ids['award_id']}", f"/v1/parked/{ids['topic']}/{ids['key']}"
    own_row = f"/v1/lists/{ids['list_id']}/rows/{ids['reference']}"
    row = own_row.replace("/v1/", "/v1/council/", 1)
    withdrawal = f"POST /v1/referrals/{ids['referral_id']}/withdrawal"
    return [
        who.attempt("council", withdrawal, REFERRAL, {"reason": "moved-away"}),
        who.attempt("officer", f"POST {package}/awards", SOURCING, {"proposal_id": ids["package_id"]}),
        who.attempt("officer", f"PUT {package}/definition-version", SOURCING, {"version": 1}),
        who.attempt("officer", f"POST {package}/pause", SOURCING, {"reason": "other"}),
        who.attempt("officer", f"PUT {package}/officer", SOURCING, {"officer": "officer-1"}),
        who.attempt("officer", f"PUT {row}/providers/{ids['provider_id']}/interest", SOURCING, {"interested": True}),
        who.attempt(who.provider, f"PUT {own_row}/interest", SOURCING, {"interested": True}),
        who.attempt("officer", f"POST {offer}/calls", SOURCING, {"result": "nobody reached"}),
        who.attempt(who.provider, f"POST {offer}/accept", SOURCING),
        who.attempt(who.provider, f"POST {offer}/decline", SOURCING, {"reason": "other"}),
        who.attempt("second-officer", f"POST {price}/approve", PRICING),
        who.attempt("second-officer", f"POST {price}/refuse", PRICING, {"reason": "too-high"}),
        who.attempt("operator", f"POST {parked}/release", SOURCING),
        who.attempt(
            "operator", f"POST /v1/parked/events/{ids['event_id']}/discard", SOURCING, {"because": "a mistake"}
        ),
    ]


def _list_writes_about_providers(ids: Ids, who: _Attacker) -> list[Attempt]:
    provider = f"/v1/providers/{ids['provider_id']}"
    place = {name: ids[name] for name in ("framework", "lot", "area", "tier")}
    requests: list[tuple[str, Json | None]] = [
        (f"PUT {provider}", _PROFILE),
        (f"PUT {provider}/skills", {"skills": []}),
        (f"PUT {provider}/spot-areas", {"areas": []}),
        (f"POST {provider}/embargo", {"reason": "safeguarding"}),
        (f"DELETE {provider}/embargo", None),
        (f"POST {provider}/capacity", {"area": ids["area"], "free_hours": "0.00"}),
        (f"PUT {provider}/branches/{ids['branch_id']}", _BRANCH),
        (f"PUT {provider}/places", {"places": []}),
        (f"POST {provider}/places/mobilised", {"places": [place]}),
        (f"POST {provider}/places/approval", place),
        (f"PUT {provider}/endpoint", _ENDPOINT),
        (f"POST {provider}/endpoint/rotation", None),
        (f"DELETE {provider}/endpoint", None),
        (f"POST {provider}/messages/{ids['webhook_id']}/replay", None),
    ]
    return [who.attempt("admin", request, REGISTRY, body) for request, body in requests]


def _list_writes_about_frameworks(ids: Ids, who: _Attacker) -> list[Attempt]:
    framework = f"/v1/frameworks/{ids['framework']}"
    lists = f"{framework}/lots/{ids['lot']}/areas/{ids['area']}/tiers/{ids['tier']}/lists"
    ranking = {"list_version": 9, "issued_on": "2026-01-05", "live_from": "2026-01-06", "ranking": [ids["provider_id"]]}
    rates = f"/v1/providers/{ids['provider_id']}/rates/{ids['framework']}/{ids['area']}"
    selection = {"valid_from": "2030-01-01", "rates": [{"service_type": "personal-care", "number": 1}]}
    return [
        who.attempt("admin", f"POST {lists}", REGISTRY, ranking),
        who.attempt("second-admin", f"POST {framework}/versions/1/approval", REGISTRY),
        who.attempt("admin", f"DELETE {framework}/versions/1", REGISTRY),
        who.attempt("admin", f"PUT {rates}", PRICING, selection),
    ]
