# What README, CI and people all use. `make demo` and `make test` each do all of their own set-up.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types chaos bench schemas docs lock clean

help: ## these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## a virtual environment with exactly what the lock file names

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: Python 3.11 or newer was not found" >&2; \
	  echo "hint: apt-get install python3.11 python3.11-venv, or make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@# Debian ships python3.11 without the part that makes virtual environments.
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  package=python$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv; \
	  asroot=; test "$$(id -u)" = 0 || asroot="sudo -n"; \
	  echo "$$package is missing: installing it"; \
	  { $$asroot apt-get update -q && $$asroot apt-get install -q -y $$package; } >/dev/null || { \
	    echo "error: $$package is missing and could not be installed" >&2; \
	    echo "hint: as root, apt-get install $$package" >&2; exit 1; }; }
	@echo "installing what requirements.lock names into $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## thirteen weeks of a synthetic organisation: digests, an alert and a finding
	@$(BIN)/uptake demo

test: lint types ## everything CI runs: lint, types, tests
	$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder

lint: $(READY) ## ruff, formatting included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	$(BIN)/mypy

chaos: $(READY) ## real faults, counted by an oracle: the short form, or make chaos KILLS=100 SEED=1
	@PYTHONPATH=tests/chaos $(BIN)/python -m uptake_chaos $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED)) $(CHAOS)

bench: $(READY) ## every figure, as a table with machine and versions (minutes)
	$(BIN)/python -m benchmarks $(BENCH)

schemas: $(READY) ## write the JSON Schemas and the AsyncAPI document from models and topics
	$(BIN)/python -m uptake.schemas.jsonschema write
	$(BIN)/python -m uptake.schemas.asyncapi write

docs: $(READY) ## write docs/kpis.md from the KPI definitions
	$(BIN)/python -m uptake.sql.catalogue docs > docs/kpis.md

lock: $(READY) ## resolve pyproject.toml anew into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --extra service --extra postgresql --group pyproject.toml:dev \
	  pyproject.toml -o requirements.lock

clean: ## remove what was built, never what was measured or written
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
