"""The rendered manifests of deploy/k8s."""

import pytest

from testkit.kubernetes_manifests import Manifest, render, write_secrets


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return render(write_secrets(tmp_path_factory.mktemp("kubernetes"), "production"))


@pytest.fixture(scope="session")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return render(write_secrets(tmp_path_factory.mktemp("kubernetes"), "minimal"))
