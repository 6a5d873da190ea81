"""What identifies one council's data, and requests that try to reach it with the tokens of another council."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from contracts.catalogue import PACKAGES, PROVIDERS, TOPICS
from devstack.issuer.identities import KNOWN_IDENTITIES, PROVIDER, make_client_id
from service_runtime.kafka.connection import KafkaConnection
from testkit.topics import TopicRecord, read_topic

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PARAMETER: Final = re.compile(r"{(\w+)}")
_SAMPLES: Final = 2
"""How many values of each parameter are tried."""
_QUERY_PARAMETERS: Final = {"provider": "provider_id", "framework": "framework", "package_id": "package_id"}
"""Query parameters that name something of a council, with the path parameter that has the same values."""

Json = dict[str, Any]  # documents of OpenAPI and payloads of events are read as they are


@dataclass(frozen=True)
class CouncilTraces:
    """What occurs in one council's data only, and values for the parameters of requests."""

    council: str
    words: frozenset[str]
    """Ids of everything that happened, framework keys and names of providers."""
    parameters: Mapping[str, Sequence[str]]

    def find(self, text: str, *, besides: str) -> list[str]:
        """Finds the words of this council in a text, besides those that the request named itself."""
        ids = set(_UUID.findall(text)) & self.words
        names = {word for word in self.words if not _UUID.fullmatch(word) and word in text}
        return sorted(word for word in ids | names if word not in besides)

    def choose(self, sample: int) -> dict[str, str]:
        """Chooses a value for each parameter."""
        return {name: values[sample % len(values)] for name, values in self.parameters.items() if values}


@dataclass(frozen=True)
class Attempt:
    """One request with the identity of a client."""

    client: str
    method: str
    service: str
    path: str
    body: Json | None = None


async def collect_traces(kafka: KafkaConnection, referrals: Mapping[str, Sequence[Json]]) -> dict[str, CouncilTraces]:
    """Collects what the record says of each council; `referrals` are those that each council's API lists."""
    records = [record for topic in TOPICS for record in await read_topic(kafka, topic)]
    of_council = {key: [each for each in records if each.get_header("ce_council") == key] for key in referrals}
    words = {
        key: {*_list_words(of_council[key]), *(str(each["referral_id"]) for each in listed)}
        for key, listed in referrals.items()
    }
    return {
        key: CouncilTraces(
            council=key,
            words=frozenset(words[key] - {word for other in words if other != key for word in words[other]}),
            parameters={
                **_list_parameters(of_council[key]),
                "referral_id": [str(each["referral_id"]) for each in referrals[key]],
            },
        )
        for key in referrals
    }


def _list_words(records: Iterable[TopicRecord]) -> Iterator[str]:
    for record in records:
        payload = record.value.decode()
        yield from _UUID.findall(f"{record.key} {payload} {record.get_header('ce_id')}")
        if record.get_header("ce_type").startswith("calloff.ProviderRegistered"):
            yield json.loads(payload)["name"]
        if record.get_header("ce_type").startswith("calloff.FrameworkPublished"):
            yield record.key


def _list_parameters(records: Sequence[TopicRecord]) -> dict[str, list[str]]:
    packages = [each.key for each in records if each.topic == PACKAGES]
    places = _list_values(records, "EligibilityChanged", "places")
    return {
        "package_id": list(dict.fromkeys(packages)),
        "provider_id": list(dict.fromkeys(each.key for each in records if each.topic == PROVIDERS)),
        "offer_id": _list_values(records, "OfferMade", "offer_id"),
        "award_id": _list_values(records, "AwardAwaitsApproval", "award_id") or packages[:1],
        "list_id": _list_values(records, "ListRowAdded", "list_id") or packages[:1],
        "notice_id": _list_values(records, "ProviderNotified", "notice_id") or packages[:1],
        "competition_id": _list_values(records, "CompetitionOpened", "competition_id") or packages[:1],
        "branch_id": _list_values(records, "RatingPublished", "branch_id"),
        "reference": [each["reference"] for each in _list_values(records, "PackageListed", "advert")] or packages[:1],
        "framework": [places[0][0]["framework"]],
        "lot": [places[0][0]["lot"]],
        "area": [places[0][0]["area"]],
        "tier": [places[0][0]["tier"]],
        "version": ["1"],
        "event_id": [each.get_header("ce_id") for each in records[:_SAMPLES]],
        "webhook_id": [each.get_header("ce_id") for each in records[:_SAMPLES]],
        "record_id": [each.get_header("ce_id") for each in records[:_SAMPLES]],
        "topic": [PACKAGES],
        "key": packages,
    }


def _list_values(records: Iterable[TopicRecord], kind: str, field: str) -> list[Any]:
    found = (each for each in records if each.get_header("ce_type").startswith(f"calloff.{kind}."))
    return [value for each in found if (value := json.loads(each.value)[field])]


def list_clients(of: CouncilTraces, *, and_providers_of: CouncilTraces) -> list[str]:
    """Lists a council's identities: its people and systems, a provider of its own, and one that is the other's."""
    providers = [f"{PROVIDER}{traces.parameters['provider_id'][0]}" for traces in (of, and_providers_of)]
    return [make_client_id(of.council, name) for name in (*KNOWN_IDENTITIES, *providers)]


def list_reads(pages: Mapping[str, Json], clients: Sequence[str], victim: CouncilTraces) -> Iterator[Attempt]:
    """Lists every GET route that wants a token, with each client and with the other council's ids."""
    for service, page in pages.items():
        for path, methods in page["paths"].items():
            if "get" in methods and "security" in methods["get"]:
                for target in dict.fromkeys(_fill(path, methods["get"], victim)):
                    yield from (Attempt(client, "GET", service, target) for client in clients)


def _fill(path: str, operation: Json, victim: CouncilTraces) -> Iterator[str]:
    named = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
    for sample in range(_SAMPLES):
        values = victim.choose(sample)
        target = _PARAMETER.sub(lambda found, values=values: values[found[1]], path)
        yield target
        for name in named & {*_QUERY_PARAMETERS}:
            yield f"{target}?{name}={values[_QUERY_PARAMETERS[name]]}"


async def read_openapi(session: aiohttp.ClientSession, urls: Mapping[str, str]) -> dict[str, Json]:
    """Reads the OpenAPI document of each service."""
    pages = dict[str, Json]()
    for service, url in urls.items():
        async with session.get(f"{url}/openapi.json") as response:
            pages[service] = await response.json()
    return pages
