"""Renders deploy/k8s with kubectl, and reads from the manifests what containers are started with."""

import base64
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from devstack.home import REPOSITORY

SOURCES: Final = REPOSITORY / "deploy" / "k8s"
OVERLAYS: Final = ("minimal", "production")
WORKLOADS: Final = ("Deployment", "Job", "CronJob")
"""Kinds of manifests that make pods."""
KUBECTL: Final = Path(sysconfig.get_path("scripts")) / "kubectl"

Manifest = dict[str, Any]
"""A manifest: a tree of YAML."""
Tree = dict[str, Any] | list[Any] | str | int | float | bool | None


@dataclass(frozen=True)
class Container:
    """A container of a workload, with the environment and the secret files that it gets."""

    workload: Manifest
    spec: Manifest
    environment: Mapping[str, str]
    secrets: Mapping[str, str | None]
    """Files below /run/secrets; None for the content of one that an operator in the cluster makes."""

    @property
    def label(self) -> str:
        return f"{self.workload['kind']} {self.workload['metadata']['name']}, container {self.spec['name']}"

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments of the image's command."""
        return tuple(self.spec["args"])


def write_secrets(folder: Path, overlay: str) -> Path:
    """Copies deploy/k8s into `folder`, with drawn secrets for `overlay`; returns the overlay's folder."""
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("secrets"))
    host = ["db.example.org"] if overlay == "minimal" else []
    subprocess.run([folder / "make-secrets", f"overlays/{overlay}", *host], check=True, capture_output=True)
    return folder / "overlays" / overlay


def render(folder: Path) -> list[Manifest]:
    """Renders a folder with a kustomization. Raises CalledProcessError, with kubectl's words, if it cannot."""
    done = subprocess.run([KUBECTL, "kustomize", folder], check=True, capture_output=True, text=True)
    return parse(done.stdout)


def parse(text: str) -> list[Manifest]:
    """Returns the documents of a file. libyaml's loader is as safe as PyYAML's own, and ten times as fast."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return list(yaml.load_all(text, Loader=loader))


@lru_cache(maxsize=1)
def render_base() -> list[Manifest]:
    return render(SOURCES / "base")


def list_leaves(node: Tree, path: str = "") -> Iterator[tuple[str, Tree]]:
    """Yields the path and the value of each field of a manifest; [] stands for the items of a list."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from list_leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for value in node:
            yield from list_leaves(value, f"{path}[]")
    else:
        yield path, node


def find_all(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def find_one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """Returns a manifest by kind and name. Raises ValueError if there is none, or several."""
    (found,) = (manifest for manifest in find_all(manifests, kind) if manifest["metadata"]["name"] == name)
    return found


def list_workloads(manifests: list[Manifest]) -> Iterator[Manifest]:
    """Yields the Deployments, Jobs and CronJobs."""
    for kind in WORKLOADS:
        yield from find_all(manifests, kind)


def get_pod(workload: Manifest) -> Manifest:
    """Returns the specification of a workload's pods."""
    return _get_template(workload)["spec"]


def get_pod_labels(workload: Manifest) -> Mapping[str, str]:
    return _get_template(workload)["metadata"]["labels"]


def _get_template(workload: Manifest) -> Manifest:
    """Returns the template of a workload's pods; a CronJob has it in that of its Jobs."""
    spec = workload["spec"]
    return spec["jobTemplate"]["spec"]["template"] if workload["kind"] == "CronJob" else spec["template"]


def list_containers(manifests: list[Manifest]) -> Iterator[Container]:
    """Yields every container and init container of the workloads."""
    for workload in list_workloads(manifests):
        pod = get_pod(workload)
        for spec in (*pod.get("initContainers", []), *pod["containers"]):
            yield Container(workload, spec, _read_environment(manifests, spec), _read_secrets(manifests, pod))


def _read_environment(manifests: list[Manifest], container: Manifest) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= find_one(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {entry["name"]: entry["value"] for entry in container.get("env", [])}


def _read_secrets(manifests: list[Manifest], pod: Manifest) -> dict[str, str | None]:
    (volume,) = (volume for volume in pod["volumes"] if volume["name"] == "secrets")
    found: dict[str, str | None] = {}
    for source in volume["projected"]["sources"]:
        secret = source["secret"]
        if "items" in secret:
            found |= {item["path"]: None for item in secret["items"]}
        elif not secret.get("optional"):
            data: dict[str, str] = find_one(manifests, "Secret", secret["name"])["data"]
            found |= {name: base64.b64decode(value).decode() for name, value in data.items()}
    return found
