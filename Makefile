# What a newcomer types: `make demo` and `make test`. Each sets up what it needs by itself.

PYTHON ?= python3
ARGS ?=
WORKERS ?= 2
KILLS ?= 50
MESSAGES ?= 5000
SEED ?= 1
FAULTS ?= all
DATABASE ?= sqlite
BIN := .venv/bin
SOURCES := contracts libs services simulators cli tests tools benchmarks
MEMBERS := textmanager textmanager-audience textmanager-chassis textmanager-consent textmanager-contracts \
	textmanager-gateway textmanager-imis textmanager-imis-writer textmanager-ingress \
	textmanager-notifier textmanager-projections textmanager-readmodels textmanager-scheduler textmanager-sender \
	textmanager-simulators textmanager-status textmanager-texting textmanager-timing \
	textmanager-twilio

# `make test ENGINES=containers` takes the engines from Docker.
export ENGINES

.DEFAULT_GOAL := help
.PHONY: help setup demo up chaos test check format contracts lock clean

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 18

setup: # the environment, as requirements.lock says; nothing when it is so already
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON): install Python 3.11 or \
	newer, or run \`make PYTHON=...\` with its name." >&2; exit 1; }
	@$(PYTHON) tools/setup.py

demo: setup ## run one real campaign from start to proof (ARGS="--recipients 2000")
	@$(BIN)/textmanager demo $(ARGS)

up: setup ## run everything on this machine until Ctrl-C (ARGS="--replicas sender=3")
	@$(BIN)/textmanager up $(ARGS)

chaos: setup ## kill everything in mid-campaign, and judge (KILLS=50 MESSAGES=5000 SEED=1 FAULTS=all DATABASE=sqlite)
	@$(BIN)/python -m tests.chaos --kills $(KILLS) --messages $(MESSAGES) --seed $(SEED) \
		--faults $(FAULTS) --database $(DATABASE) $(if $(RATE),--rate $(RATE)) $(ARGS)

test: check ## everything that CI runs: checks, then tests on real engines (DATABASE=postgresql)
	TEXTMANAGER_TEST_DATABASE=$(DATABASE) $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: setup ## format, lint, types, import layers, contracts; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(wildcard $(SOURCES))
	$(BIN)/lint-imports
	$(BIN)/python -m contracts.generate --check

format: setup ## bring every file into the one format
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

contracts: setup ## write schemas, AsyncAPI and the table of topics as the code says
	$(BIN)/python -m contracts.generate

lock: setup ## pin every dependency anew, with its hashes
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--no-annotate --custom-compile-command "make lock" --python-version 3.11 \
		$(addprefix --no-emit-package ,$(MEMBERS)) \
		--group dev pyproject.toml -o requirements.lock

clean: ## remove the environment, the caches and the state of `up`
	rm -rf .venv .textmanager .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
