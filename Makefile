# `make` alone lists what there is. Everything lives in .venv and .calloff; `make clean` forgets both.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
BIN := .venv/bin
PACKAGES := $(patsubst %/pyproject.toml,%,$(wildcard libs/*/pyproject.toml services/*/pyproject.toml tools/*/pyproject.toml))
READY := .venv/ready
JARS := .calloff/kafka-jars/fetched-for
WORKERS ?= 2
# Compiled modules are kept: collecting the tests takes twice as long without them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run demo bench test check static style lock image docs clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) $(JARS) ## build .venv from requirements.lock and fetch Kafka (done by the others when needed)

run: setup ## start everything with invented providers and referrals; FOR=90s ends it by itself; REPLICAS=2 of each service
	@$(BIN)/calloff up $(if $(FOR),--for $(FOR)) $(if $(REPLICAS),--replicas $(REPLICAS))

demo: setup ## play eight days of brokerage, judge them, and end with one line of JSON
	@$(BIN)/calloff demo

bench: setup ## measure every figure of the design; ONLY=chains,relay some; SCALE=10,100 thousand packages; REPLICAS=2 of each service; PEERS=1 beside others
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(SCALE),--scale $(SCALE)) $(if $(REPLICAS),--replicas $(REPLICAS)) $(if $(PEERS),--peers)

test: setup static ## every check and test, on real PostgreSQL and Kafka
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup

check: $(READY) style ## the checks and quick tests that need no servers
	@$(BIN)/basedpyright & types=$$!; $(BIN)/pytest -q -m "not servers and not slow"; wait $$types

static: $(READY) style
	@$(BIN)/basedpyright

style: $(READY)
	@$(BIN)/ruff format --check --quiet . || { echo "These files are not formatted: run '$(BIN)/ruff format .'"; $(BIN)/ruff format --check .; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports

lock: $(READY) ## resolve requirements.in anew into requirements.lock
	@$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --quiet requirements.in --output-file requirements.lock
	@$(BIN)/uv pip compile --upgrade --universal --python-version 3.13 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --quiet --constraint requirements.lock deploy/docker/requirements-build.in \
		--output-file deploy/docker/requirements-build.lock
	@$(BIN)/python -m devstack.image_requirements

image: ## build the container image of the services; VERSION=1.2.3 names it
	@docker build --file deploy/docker/Dockerfile --tag calloff:$(or $(VERSION),local) \
		--build-arg VERSION=$(or $(VERSION),0.1.0) --build-arg REVISION=$$(git rev-parse HEAD) .

docs: $(READY) ## write docs/events.md and docs/openapi from the code
	@$(BIN)/calloff docs

clean: ## delete .venv, .calloff and all caches
	@deploy/bootstrap/clean

$(READY): requirements.lock deploy/bootstrap/install $(addsuffix /pyproject.toml,$(PACKAGES))
	@PYTHON=$(PYTHON) deploy/bootstrap/install $(PACKAGES)
	@touch $@

$(JARS): deploy/kafka/pom.xml | $(READY)
	@$(BIN)/python -m devstack.embedded $< $(@D)
	@touch $@
