"""NetworkPolicies let through the arrows of docs/architecture.md, and nothing else."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from devstack.config import SERVICES
from devstack.names import REGISTRY
from provider_registry.settings import Settings as RegistrySettings
from testkit.kubernetes_manifests import Manifest, find_all, get_pod_labels, list_containers, list_workloads
from testkit.kubernetes_network import Arrow, Place, Policies

NAMES: Final = tuple(service.name for service in SERVICES)
HTTP, HEALTH, DATABASE, KAFKA, HTTPS, MAIL, OTLP = 8080, 8081, 5432, 9093, 443, 587, 4318
NAMESPACES: Final = ("gateway", "prometheus", "telemetry", "identity-provider", "keda", "database-operator")
DNS: Final = Place("dns", pod={"k8s-app": "kube-dns"}, namespace={"kubernetes.io/metadata.name": "kube-system"})
INTERNET: Final = (Place("internet", address="203.0.114.7"), Place("internet-6", address="2a00:1450::1"))
PRIVATE: Final = tuple(
    Place(address, address=address)
    for address in ("10.1.2.3", "172.20.0.1", "192.168.7.7", "169.254.169.254", "100.64.0.1", "127.0.0.1", "fd00::1")
)
PORTS_OF_THE_API: Final = (443, 6443)


def _list_outside() -> list[Place]:
    labelled = [Place(name, pod={"app": name}, namespace={f"access.calloff/{name}": "allowed"}) for name in NAMESPACES]
    stranger = Place("stranger", pod={"app": "stranger"}, namespace={"kubernetes.io/metadata.name": "default"})
    return [*labelled, stranger, DNS, *INTERNET, *PRIVATE]


def _list_pods(manifests: list[Manifest]) -> Iterator[Place]:
    for workload in list_workloads(manifests):
        name = str(workload["metadata"]["name"]).removeprefix("calloff-")
        yield Place(name, pod=get_pod_labels(workload))


def _expect_of_every_service(name: str) -> Iterator[Arrow]:
    yield Arrow("gateway", name, HTTP)
    yield Arrow("prometheus", name, HEALTH)
    yield Arrow(name, "telemetry", OTLP)
    yield from (Arrow(name, "identity-provider", port) for port in (HTTPS, 8080, 8443))
    # Keys of the identity provider for all; webhooks of referral and provider-registry.
    yield from (Arrow(name, place.name, HTTPS) for place in INTERNET)
    yield Arrow(name, "dns", 53)


def _expect_of_jobs(name: str, database: str) -> Iterator[Arrow]:
    """The migration and the archive of a service reach its database, and neither Kafka nor anything else."""
    for job in (f"migration-{name}", f"archive-{name}"):
        yield Arrow(job, database, DATABASE)
        yield Arrow(job, "dns", 53)


def _expect_mail() -> set[Arrow]:
    return {Arrow(REGISTRY, place.name, MAIL) for place in (*INTERNET, *PRIVATE)}


def _build_policies(manifests: list[Manifest]) -> Policies:
    policies = find_all(manifests, "NetworkPolicy")
    policies += [_build_policy_of_strimzi(kafka) for kafka in find_all(manifests, "Kafka")]
    return Policies(policies, ports=(HTTP, HEALTH, 22, 80, 2181, 9092))


def _build_policy_of_strimzi(kafka: Manifest) -> dict[str, Any]:
    """What the operator makes of a listener's `networkPolicyPeers`."""
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    return {
        "spec": {
            "podSelector": {"matchLabels": {"strimzi.io/cluster": kafka["metadata"]["name"]}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": listener["networkPolicyPeers"], "ports": [{"port": listener["port"]}]}],
        }
    }


def test_in_production_exactly_the_arrows_of_the_architecture_pass(production: list[Manifest]) -> None:
    broker = Place("broker", pod={"strimzi.io/cluster": "calloff", "strimzi.io/broker-role": "true"})
    databases = [Place(f"{name}-db", pod={"cnpg.io/cluster": f"calloff-{name}-db"}) for name in NAMES]
    expected = _expect_mail() | {Arrow("broker", "dns", 53), Arrow("keda", "broker", KAFKA)}
    for name in NAMES:
        expected |= {*_expect_of_every_service(name), Arrow(name, "broker", KAFKA)}
        expected |= {Arrow(name, f"{name}-db", DATABASE), *_expect_of_jobs(name, f"{name}-db")}
        expected.add(Arrow(f"{name}-db", "dns", 53))
        expected |= {Arrow("database-operator", f"{name}-db", port) for port in (DATABASE, 8000)}
        expected.add(Arrow("prometheus", f"{name}-db", 9187))
    outside = _list_outside()
    # The API of Kubernetes and the object store can have any address.
    for place, port in ((place, port) for place in outside for port in PORTS_OF_THE_API):
        expected |= {Arrow(source, place.name, port) for source in ("broker", *(each.name for each in databases))}
    places = [*_list_pods(production), broker, *databases, *outside]
    assert set(_build_policies(production).list_arrows(places)) == expected


def test_in_the_minimal_overlay_exactly_the_arrows_of_the_architecture_pass(minimal: list[Manifest]) -> None:
    outside = [Place("database", address="192.0.2.10"), Place("kafka", address="192.0.2.20"), *_list_outside()]
    expected = _expect_mail() | {Arrow(REGISTRY, name, MAIL) for name in ("database", "kafka")}
    for name in NAMES:
        expected |= {*_expect_of_every_service(name), Arrow(name, "kafka", KAFKA), Arrow(name, "database", DATABASE)}
        expected |= {Arrow(name, place, HTTPS) for place in ("database", "kafka")}
        expected |= set(_expect_of_jobs(name, "database"))
    expected |= {Arrow("topics", "kafka", KAFKA), Arrow("topics", "dns", 53)}
    assert set(_build_policies(minimal).list_arrows([*_list_pods(minimal), *outside])) == expected


@pytest.mark.parametrize("overlay", ["production", "minimal"])
def test_the_ports_are_those_that_the_settings_name(overlay: str, request: pytest.FixtureRequest) -> None:
    found: set[str] = set()
    for container in list_containers(request.getfixturevalue(overlay)):
        settings = container.environment
        assert (settings["CALLOFF_PORT"], settings["CALLOFF_HEALTH_PORT"]) == (str(HTTP), str(HEALTH))
        assert settings["CALLOFF_KAFKA_BOOTSTRAP"].endswith(f":{KAFKA}")
        assert f":{DATABASE}/" in (container.secrets.get("CALLOFF_DATABASE_URL") or f":{DATABASE}/")
        found |= settings.keys()
        if "CALLOFF_SMTP_HOST" in settings:
            assert settings.get("CALLOFF_SMTP_PORT", str(RegistrySettings.model_fields["smtp_port"].default)) == str(
                MAIL
            )
        if "OTEL_EXPORTER_OTLP_ENDPOINT" in settings:
            assert settings["OTEL_EXPORTER_OTLP_ENDPOINT"].endswith(f":{OTLP}")
    assert "CALLOFF_SMTP_HOST" in found


@pytest.mark.parametrize("overlay", ["production", "minimal"])
def test_without_its_policies_the_namespace_would_be_open(overlay: str, request: pytest.FixtureRequest) -> None:
    manifests: list[Manifest] = request.getfixturevalue(overlay)
    places = [*_list_pods(manifests), *_list_outside()]
    arrows = set(Policies([], ports=(HTTP,)).list_arrows(places))
    assert Arrow("stranger", "audit", HTTP) in arrows
    assert Arrow("referral", "sourcing", HTTP) in arrows
