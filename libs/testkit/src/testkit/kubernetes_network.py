"""Evaluates NetworkPolicies: which arrows among pods, namespaces and addresses they let through."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from itertools import product
from typing import Any

from testkit.kubernetes_manifests import Manifest


@dataclass(frozen=True)
class Place:
    """Something that sends or receives: pods of the namespace, pods of another namespace, or an address outside."""

    name: str
    pod: Mapping[str, str] | None = None
    """Labels of the pods."""
    namespace: Mapping[str, str] | None = None
    """Labels of the namespace; None for pods of the namespace of the policies."""
    address: str | None = None

    @property
    def is_inside(self) -> bool:
        return self.pod is not None and self.namespace is None


@dataclass(frozen=True)
class Arrow:
    """A connection from one place to a port of another."""

    source: str
    target: str
    port: int


@dataclass(frozen=True)
class Policies:
    """The NetworkPolicies of one namespace."""

    policies: Sequence[Manifest]
    ports: Sequence[int] = field(default_factory=tuple[int, ...])
    """Ports that are tried besides those that a policy names."""

    def list_arrows(self, places: Iterable[Place]) -> Iterator[Arrow]:
        """Yields every arrow from or to the namespace that passes the policies of both of its ends."""
        ports = sorted({*self.ports, *self._list_named_ports()})
        for source, target, port in product(places, places, ports):
            if source == target or not (source.is_inside or target.is_inside):
                continue
            if self._lets_out(source, target, port) and self._lets_in(source, target, port):
                yield Arrow(source.name, target.name, port)

    def _list_named_ports(self) -> Iterator[int]:
        for policy in self.policies:
            for rule in (*policy["spec"].get("egress", []), *policy["spec"].get("ingress", [])):
                yield from (port["port"] for port in rule.get("ports", []))

    def _lets_out(self, source: Place, target: Place, port: int) -> bool:
        return self._passes(source, target, port, direction="Egress", peers="to")

    def _lets_in(self, source: Place, target: Place, port: int) -> bool:
        return self._passes(target, source, port, direction="Ingress", peers="from")

    def _passes(self, owner: Place, peer: Place, port: int, *, direction: str, peers: str) -> bool:
        """True if no policy of this direction is about `owner`, or if a rule of one names `peer` and `port`."""
        if not owner.is_inside:
            return True
        about = [
            policy
            for policy in self.policies
            if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], owner.pod or {})
        ]
        rules = [rule for policy in about for rule in policy["spec"].get(direction.lower(), [])]
        return not about or any(_allows(rule, peers, peer, port) for rule in rules)


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """True if a label selector matches. Raises ValueError for an operator that this module does not know."""
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        _matches(expression, labels) for expression in selector.get("matchExpressions", [])
    )


def _matches(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    match expression["operator"]:
        case "In":
            return labels.get(expression["key"]) in expression["values"]
        case "Exists":
            return expression["key"] in labels
        case unknown:
            message = f"the operator {unknown} is not evaluated"
            raise ValueError(message)


def _allows(rule: Mapping[str, Any], peers: str, peer: Place, port: int) -> bool:
    """A rule without ports or without peers leaves out the restriction."""
    named = [entry["port"] for entry in rule.get("ports", [])]
    return (not named or port in named) and (peers not in rule or any(_names(each, peer) for each in rule[peers]))


def _names(entry: Mapping[str, Any], peer: Place) -> bool:
    if "ipBlock" in entry:
        return peer.address is not None and _contains(entry["ipBlock"], peer.address)
    if peer.pod is None or ("namespaceSelector" in entry) != (peer.namespace is not None):
        return False
    return selects(entry.get("namespaceSelector", {}), peer.namespace or {}) and selects(
        entry.get("podSelector", {}), peer.pod
    )


def _contains(block: Mapping[str, Any], address: str) -> bool:
    found = ip_address(address)
    return found in ip_network(block["cidr"]) and not any(found in ip_network(each) for each in block.get("except", []))
