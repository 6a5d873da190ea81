"""Entry point: `python -m pricing`, or `python -m pricing migrate`."""

from pricing.settings import Settings
from pricing.wiring import build
from service_runtime.process import run

run(Settings, build)
