"""Runs the provider registry: `python -m provider_registry`, or `python -m provider_registry migrate`."""

from provider_registry.settings import Settings
from provider_registry.wiring import build
from service_runtime.process import run

run(Settings, build)
