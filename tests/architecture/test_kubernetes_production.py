"""The production overlay: Kafka, databases, autoscaling, routes and monitoring fit the services, and each other."""

import base64
import re
from typing import Final

import pytest
from sqlalchemy import make_url

from contracts.catalogue import CATALOGUE, PARKED, TOPICS
from devstack.config import SERVICES, ServiceDefinition
from devstack.docs.kubernetes import list_groups
from devstack.docs.openapi import build_services
from service_runtime.settings import RuntimeSettings
from testkit.kubernetes_manifests import Manifest, find_all, find_one, get_pod_labels, list_containers, list_leaves
from testkit.kubernetes_network import selects

RESERVED_CONNECTIONS: Final = 50
"""For migrations, the operator, replication, and a person with psql."""
PLACEHOLDER: Final = re.compile(r"\b[A-Z]+_(HOST|CLASS|NAME|NAMESPACE|LISTENER|DESTINATION|ENDPOINT)\b|\bSERVICE\b")

SECRET_NAME: Final = re.compile(
    r"\.(secret|passwordSecret|accessKeyId|secretAccessKey|secretTargetRef\[\]|secretKeyRef|secretRef)\.name$"
)
"""Paths of the fields that name a Secret."""

each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


def _read_secret(manifests: list[Manifest], prefix: str) -> dict[str, str]:
    """Reads a generated Secret by its name without the hash of its content."""
    named = re.compile(re.escape(prefix) + r"(-[0-9a-z]{10})?")
    (secret,) = (each for each in find_all(manifests, "Secret") if named.fullmatch(each["metadata"]["name"]))
    return {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}


def _read_settings(manifests: list[Manifest], service: ServiceDefinition) -> dict[str, str]:
    return next(dict(each.environment) for each in list_containers(manifests) if each.words == (service.name,))


@each_service
def test_the_database_has_the_roles_with_which_the_service_and_its_migration_connect(
    production: list[Manifest], service: ServiceDefinition
) -> None:
    cluster = find_one(production, "Cluster", f"calloff-{service.name}-db")["spec"]
    assert cluster["bootstrap"]["initdb"] == {"database": service.package, "owner": service.owner}
    (role,) = cluster["managed"]["roles"]
    password = _read_secret(production, role["passwordSecret"]["name"])
    url = make_url(_read_secret(production, f"calloff-secrets-{service.name}")["CALLOFF_DATABASE_URL"].strip())
    assert (url.username, url.password) == (role["name"], password["password"].strip())
    assert (role["name"], password["username"].strip()) == (service.package, service.package)
    assert (url.host, url.database) == (f"calloff-{service.name}-db-rw.calloff.svc", service.package)
    assert not cluster["enableSuperuserAccess"]
    assert not {"superuser", "createdb", "createrole", "replication", "inRoles"} & role.keys()


@each_service
def test_a_database_survives_a_node_and_is_backed_up(production: list[Manifest], service: ServiceDefinition) -> None:
    name = f"calloff-{service.name}-db"
    cluster = find_one(production, "Cluster", name)["spec"]
    assert cluster["instances"] == 3
    assert cluster["postgresql"]["synchronous"]["number"] == 1
    assert cluster["postgresql"]["synchronous"]["dataDurability"] == "required"
    (plugin,) = cluster["plugins"]
    assert plugin["isWALArchiver"]
    store = find_one(production, "ObjectStore", plugin["parameters"]["barmanObjectName"])
    keys = store["spec"]["configuration"]["s3Credentials"]
    backups = _read_secret(production, keys["accessKeyId"]["name"])
    assert {key["key"] for key in keys.values()} == backups.keys()
    assert find_one(production, "ScheduledBackup", name)["spec"]["cluster"] == {"name": name}


@each_service
def test_a_database_has_connections_for_as_many_replicas_as_there_can_be(
    production: list[Manifest], service: ServiceDefinition
) -> None:
    cluster = find_one(production, "Cluster", f"calloff-{service.name}-db")["spec"]
    replicas = find_one(production, "ScaledObject", f"calloff-{service.name}")["spec"]["maxReplicaCount"]
    surge = find_one(production, "Deployment", f"calloff-{service.name}")["spec"]["strategy"]["rollingUpdate"][
        "maxSurge"
    ]
    default = str(RuntimeSettings.model_fields["pool_size"].default)
    pool = int(_read_settings(production, service).get("CALLOFF_POOL_SIZE", default))
    needed = (replicas + surge) * pool + RESERVED_CONNECTIONS
    assert int(cluster["postgresql"]["parameters"]["max_connections"]) >= needed


def test_the_database_writes_nothing_personal_to_its_log(production: list[Manifest]) -> None:
    for cluster in find_all(production, "Cluster"):
        parameters = cluster["spec"]["postgresql"]["parameters"]
        assert parameters["log_error_verbosity"] == "terse"
        assert (parameters["log_statement"], parameters["log_min_error_statement"]) == ("none", "panic")


def test_every_secret_is_made_by_an_overlay_or_by_an_operator(production: list[Manifest]) -> None:
    made = {each["metadata"]["name"] for each in find_all(production, "Secret")}
    made |= {f"{each['metadata']['name']}-cluster-ca-cert" for each in find_all(production, "Kafka")}
    made |= {each["metadata"]["name"] for each in find_all(production, "KafkaUser")}
    made |= {f"{each['metadata']['name']}-{end}" for each in find_all(production, "Cluster") for end in ("app", "ca")}
    leaves = [leaf for each in production for leaf in list_leaves(each)]
    named = {str(value) for path, value in leaves if SECRET_NAME.search(path)}
    assert len(named) > len(SERVICES)
    assert sorted(named - made) == []


@each_service
def test_a_kafka_user_may_do_what_its_service_does_and_no_more(
    production: list[Manifest], service: ServiceDefinition
) -> None:
    (built,) = (each for each in build_services() if each.name == service.name)
    rules = _read_rules(
        find_one(production, "KafkaUser", _read_settings(production, service)["CALLOFF_KAFKA_SASL_USERNAME"])
    )
    written = {entry.topic for entry in CATALOGUE if entry.owner == service.name} | {PARKED}
    read = {each.topic for each in built.subscriptions} | {
        topic for each in built.batch_subscriptions for topic in each.topics
    }
    known = {entry.event: entry.topic for entry in CATALOGUE}
    read |= {known[event] for projection in built.projections for event in projection.event_types}
    assert {name for kind, name, operation in rules if (kind, operation) == ("topic", "Write")} == written
    assert {name for kind, name, operation in rules if (kind, operation) == ("topic", "Read")} == read | written
    assert {name for kind, name, _ in rules if kind == "group"} == set(list_groups(built))
    assert {operation for *_, operation in rules} <= {"Describe", "DescribeConfigs", "Read", "Write"}


def _read_rules(user: Manifest) -> set[tuple[str, str, str]]:
    return {
        (rule["resource"]["type"], rule["resource"]["name"], operation)
        for rule in user["spec"]["authorization"]["acls"]
        for operation in rule["operations"]
    }


def test_the_topics_of_kafka_are_those_of_the_catalogue(production: list[Manifest]) -> None:
    assert {each["metadata"]["name"] for each in find_all(production, "KafkaTopic")} == set(TOPICS)
    assert find_one(production, "Kafka", "calloff")["spec"]["kafka"]["config"]["auto.create.topics.enable"] is False
    assert [each for each in find_all(production, "Job") if "topics" in each["metadata"]["name"]] == []


@each_service
def test_a_service_reaches_the_listener_that_kafka_has(production: list[Manifest], service: ServiceDefinition) -> None:
    kafka = find_one(production, "Kafka", "calloff")
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    settings = _read_settings(production, service)
    assert settings["CALLOFF_KAFKA_BOOTSTRAP"] == f"calloff-kafka-bootstrap.calloff.svc:{listener['port']}"
    assert (listener["tls"], settings["CALLOFF_KAFKA_SECURITY_PROTOCOL"]) == (True, "SASL_SSL")
    assert listener["authentication"]["type"].upper() == settings["CALLOFF_KAFKA_SASL_MECHANISM"]


@each_service
def test_the_lag_that_scales_a_service_is_that_of_its_own_consumer_group(
    production: list[Manifest], service: ServiceDefinition
) -> None:
    (built,) = (each for each in build_services() if each.name == service.name)
    scaled = find_one(production, "ScaledObject", f"calloff-{service.name}")["spec"]
    (trigger,) = scaled["triggers"]
    assert trigger["metadata"]["topic"] in list_groups(built)[trigger["metadata"]["consumerGroup"]]
    assert trigger["metadata"]["bootstrapServers"] == _read_settings(production, service)["CALLOFF_KAFKA_BOOTSTRAP"]
    watcher = _read_rules(find_one(production, "KafkaUser", "calloff-keda"))
    assert ("group", trigger["metadata"]["consumerGroup"], "Describe") in watcher
    assert ("topic", trigger["metadata"]["topic"], "Describe") in watcher
    assert {operation for *_, operation in watcher} == {"Describe"}
    assert scaled["scaleTargetRef"] == {"name": f"calloff-{service.name}"}


@each_service
def test_a_route_leads_to_the_api_and_not_to_metrics(production: list[Manifest], service: ServiceDefinition) -> None:
    (rule,) = find_one(production, "HTTPRoute", f"calloff-{service.name}")["spec"]["rules"]
    assert [match["path"]["value"] for match in rule["matches"]] == ["/v1", "/docs", "/openapi.json"]
    (backend,) = rule["backendRefs"]
    ports = find_one(production, "Service", backend["name"])["spec"]["ports"]
    assert [port["port"] for port in ports] == [backend["port"]]


def test_links_lead_to_the_hosts_of_the_routes(production: list[Manifest]) -> None:
    hosts = {each["metadata"]["name"]: each["spec"]["hostnames"] for each in find_all(production, "HTTPRoute")}
    found = 0
    for container in list_containers(production):
        for name in ("referral", "sourcing"):
            if url := container.environment.get(f"CALLOFF_{name.upper()}_URL"):
                assert hosts[f"calloff-{name}"] == [url.removeprefix("https://")]
                found += 1
    assert found > 0


def test_prometheus_scrapes_every_pod_of_every_service(production: list[Manifest]) -> None:
    monitor = find_one(production, "PodMonitor", "calloff")["spec"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("health", "/metrics")
    (job,) = endpoint["relabelings"]  # the alerts and dashboards read this name
    assert (job["targetLabel"], job["replacement"]) == ("job", "calloff/$1")
    component = "app.kubernetes.io/component"
    assert job["sourceLabels"] == ["__meta_kubernetes_pod_label_" + re.sub(r"[./-]", "_", component)]
    for deployment in find_all(production, "Deployment"):
        labels = get_pod_labels(deployment)
        assert selects(monitor["selector"], labels)
        assert f"calloff-{labels[component]}" == deployment["metadata"]["name"]


def test_no_placeholder_is_left(production: list[Manifest]) -> None:
    values = {str(value) for each in production for _, value in list_leaves(each)}
    assert sorted(value for value in values if PLACEHOLDER.search(value)) == []
