# Every target sets itself up: it needs python3 (3.11 or newer) and nothing else.
# The requirements are installed again whenever requirements/dev.txt changes.

PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
UV := $(BIN)/uv --system-certs
REQUIREMENTS := requirements/dev.txt
STAMP := .venv/.stamp-$(shell cksum $(REQUIREMENTS) | cut -d' ' -f1)
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml
FAST := not slow and not browser
PYTEST := $(BIN)/pytest --numprocesses auto

.DEFAULT_GOAL := help
SEEDS ?= 200
FIRST ?= 1
WORLD ?= legacy

.PHONY: simulate setup demo test test-all lint format check bench docs metrics help lock

setup: $(STAMP) ## make .venv and install everything into it

$(STAMP): $(REQUIREMENTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tenantfold needs Python 3.11 or newer; set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes $(REQUIREMENTS)
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@rm -f .venv/.stamp-* && touch $@
	@echo "ready: .venv"

demo: $(STAMP) ## consolidate a small emulated partner from start to end
	@$(BIN)/python -m tenantfold.demo

test: $(STAMP) ## the fast tests
	@$(PYTEST) -m "$(FAST)"

test-all: $(STAMP) ## every test, slow and browser ones too
	@$(PYTEST)

lint: $(STAMP) ## ruff, mypy, import rules, house rules, spelling, docstrings, freshness of the generated docs
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m checks.house
	@$(BIN)/codespell
	@$(BIN)/interrogate --quiet src
	@$(BIN)/python -m checks.docs --check

format: $(STAMP) ## put code into the house's form and fix what can be fixed safely
	@$(BIN)/ruff check --quiet --fix --exit-zero
	@$(BIN)/ruff format

check: lint test ## what CI runs: lint, then the fast tests

simulate: $(STAMP) ## play SEEDS seeds from FIRST on: crashes, faults, odd customers (WORLD=mixed: every kind of subscription)
	@$(BIN)/python -m tenantfold.simulation $(if $(filter mixed,$(WORLD)),--mixed) --seeds $(SEEDS) --first $(FIRST)

bench: $(STAMP) ## run the benchmarks and compare with their budgets
	@$(BIN)/python -m benchmarks

docs: $(STAMP) ## write the generated pages of docs/reference
	@$(BIN)/python -m checks.docs

metrics: $(STAMP) ## print the sizes behind the size gate
	@$(BIN)/python -m checks.house --metrics

lock: $(STAMP) ## resolve the requirements again (add UPGRADE=--upgrade for newer versions)
	@$(COMPILE) $(UPGRADE) --output-file requirements/run.txt
	@$(COMPILE) $(UPGRADE) --group dev --output-file requirements/dev.txt

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'
