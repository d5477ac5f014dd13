# The commands a person types, in the order of a first day; `make` alone lists them.
.DEFAULT_GOAL := help
SCALE ?= 1
LIVES ?= 20000
PART ?= lives
MINUTES ?= 5
SEED ?= 1
WORKERS ?= 3
PYTHON ?= python3
BIN := .venv/bin

# The tests start hundreds of Python programs: where nothing compiled may lie beside its source, it is kept apart.
ifneq ($(PYTHONDONTWRITEBYTECODE),)
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/compiled
unexport PYTHONDONTWRITEBYTECODE
endif

.PHONY: help setup demo pictures test test-containers digests quick check lint types borders docs bench chaos up status down wipe

help: ## List these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

# The stamp is newer than the lock file once the environment is what the lock file says.
.venv/.synced: uv.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv sync --frozen --quiet --inexact
	@touch $@

setup: .venv/.synced ## Make .venv from the lock file

demo: .venv/.synced ## Live a day of the city to its end (SCALE=0.01 for a quick look, KEEP=1 to keep it up)
	@$(BIN)/hotline demo --scale $(SCALE) $(if $(KEEP),--keep)

test: .venv/.synced ## All tests, on a real Kafka and PostgreSQL that they start themselves
	@$(BIN)/python -m deploy.embedded.archive
	@$(BIN)/pytest -n $(WORKERS) --no-loadscope-reorder -m "not digests"

test-containers: .venv/.synced ## A slice of the tests on containers, engine and images made here (Debian, root)
	@.ci/containers .stack/engine

digests: .venv/.synced ## The facts of a demo's day, a month and Boston's file against what was recorded
	@$(BIN)/pytest -m digests -q

quick: .venv/.synced ## The pure tests: rules, doors, whole lives in memory; no stack, in under a minute
	@$(BIN)/pytest -n $(WORKERS) -m "not connected and not programs" -q

pictures: .venv/.synced ## Every page in every state as contact sheets in build/pictures, for the eye
	@$(BIN)/pytest -n0 -q tests/web/pictures.py

check: lint types borders docs ## Everything that is checked without running: style, types, borders, generated docs

lint: .venv/.synced
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/.synced
	@$(BIN)/mypy

borders: .venv/.synced
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

docs: .venv/.synced
	@$(BIN)/python -m hotline.contract.asyncapi --check docs/asyncapi.json
	@$(BIN)/python -m hotline.contract.openapi --check docs/openapi.json
	@$(BIN)/python -m hotline.contract.rulebook --check docs/rules.md
	@$(BIN)/python -m tests.life_table --check docs/life.md
	@$(BIN)/python -m tests.call_table --check docs/calls.md
	@$(BIN)/python -m deploy.kubernetes check
	@$(BIN)/python -m deploy.compose check
	@$(BIN)/python -m deploy.watching check

bench: .venv/.synced ## Whole lives a second, the floor beside them, and one by one (LIVES=20000, PART=all for every part)
	@$(BIN)/hotline bench $(PART) --lives $(LIVES)

chaos: .venv/.synced ## A city lives while everything it stands on fails, one thing at a time (MINUTES=5, SEED=1)
	@$(BIN)/hotline chaos --minutes $(MINUTES) --seed $(SEED)

up: .venv/.synced ## Start the stack and the services, in real time
	@$(BIN)/hotline up

status: .venv/.synced ## What runs, how far each desk is
	@$(BIN)/hotline status

down: .venv/.synced ## Stop everything; what is in the log stays
	@$(BIN)/hotline down

wipe: .venv/.synced ## Remove the stack's data
	@$(BIN)/hotline wipe
