"""`python -m devstack.docs.kubernetes` writes those manifests of deploy/k8s that follow from the code.

They are the topics of the catalogue, the rights of each service's Kafka user, and the alerts as a PrometheusRule.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from contracts.catalogue import SPECIFICATIONS, list_owned_topics
from devstack.docs import openapi
from devstack.home import REPOSITORY
from service_runtime.kafka.topics import Replication, build_settings
from service_runtime.observability.logs import build_logger
from service_runtime.process_parts import ProcessParts
from service_runtime.service import Service

FOLDER: Final = REPOSITORY / "deploy" / "k8s" / "overlays" / "production"
ALERTS: Final = REPOSITORY / "deploy" / "observability" / "alerts.yaml"
REPLICATION: Final = Replication(factor=3, min_insync=2)
CLUSTER: Final = "calloff"
HEADER: Final = "# Written by `make docs` from the code; do not edit.\n"
WATCHER: Final = "calloff-keda"
"""The Kafka user that only reads offsets."""

READ: Final = ("Describe", "DescribeConfigs", "Read")
"""What a reader does with a topic; start-up checks read settings."""
WRITE: Final = (*READ, "Write")
"""What a publisher does: at a start it also compares what it has published with its journal."""

Manifest = dict[str, Any]
"""A manifest: a tree of YAML."""


def render_files() -> dict[Path, str]:
    """Returns the content of each generated file."""
    services = list(openapi.build_services())
    users = [_build_user(f"{CLUSTER}-{service.name}", _build_rules(service)) for service in services]
    return {
        FOLDER / "kafka" / "topics.yaml": _render(_build_topics()),
        FOLDER / "kafka" / "users.yaml": _render([*users, _build_user(WATCHER, _build_watcher_rules(services))]),
        FOLDER / "monitoring" / "alerts.yaml": _render([_build_alerts()]),
    }


def list_groups(service: Service[Any]) -> dict[str, tuple[str, ...]]:
    """Returns the topics of each consumer group of a service."""
    parts = ProcessParts(service, log=build_logger(service.name, level="error"), simulation=None)
    readers = (parts.consumer, *parts.batch_consumers)
    return {reader.group: tuple(reader.topics) for reader in readers if reader.topics}


def _build_topics() -> Iterator[Manifest]:
    for specification in SPECIFICATIONS:
        yield {
            **_build_head("kafka.strimzi.io/v1", "KafkaTopic", specification.name, {"strimzi.io/cluster": CLUSTER}),
            "spec": {
                "partitions": specification.partitions,
                "replicas": REPLICATION.factor,
                "config": dict(sorted(build_settings(specification, REPLICATION).items())),
            },
        }


def _build_rules(service: Service[Any]) -> Iterator[Manifest]:
    groups = list_groups(service)
    written = list_owned_topics(service.name)
    for topic in sorted({topic for topics in groups.values() for topic in topics} | set(written)):
        yield _build_rule("topic", topic, WRITE if topic in written else READ)
    for group in sorted(groups):
        yield _build_rule("group", group, ("Read",))


def _build_watcher_rules(services: Sequence[Service[Any]]) -> Iterator[Manifest]:
    groups = {group: topics for service in services for group, topics in list_groups(service).items()}
    for topic in sorted({topic for topics in groups.values() for topic in topics}):
        yield _build_rule("topic", topic, ("Describe",))
    for group in sorted(groups):
        yield _build_rule("group", group, ("Describe",))


def _build_rule(kind: str, name: str, operations: Sequence[str]) -> Manifest:
    return {"resource": {"type": kind, "name": name, "patternType": "literal"}, "operations": list(operations)}


def _build_user(name: str, rules: Iterator[Manifest]) -> Manifest:
    return {
        **_build_head("kafka.strimzi.io/v1", "KafkaUser", name, {"strimzi.io/cluster": CLUSTER}),
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": list(rules)},
        },
    }


def _build_alerts() -> Manifest:
    head = _build_head("monitoring.coreos.com/v1", "PrometheusRule", "calloff", {})
    return {**head, "spec": yaml.safe_load(ALERTS.read_text(encoding="utf-8"))}


def _build_head(version: str, kind: str, name: str, labels: Mapping[str, str]) -> Manifest:
    metadata = {"name": name, "labels": dict(labels)} if labels else {"name": name}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _render(manifests: Iterator[Manifest] | Sequence[Manifest]) -> str:
    return HEADER + yaml.safe_dump_all(manifests, sort_keys=False, allow_unicode=True, width=120)


def find_stale_files() -> list[Path]:
    """Returns the files that are missing or differ from the code."""
    return [
        path for path, text in render_files().items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str]) -> int:
    stale = find_stale_files()
    if "--check" not in arguments:
        for path, text in render_files().items():
            path.write_text(text, encoding="utf-8")
        return 0
    for path in stale:
        sys.stderr.write(f"{path.relative_to(REPOSITORY)} is out of date; run `make docs`\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
