# `make run` and `make test` are all a new machine needs; both install what is missing into .venv first.
SHELL := bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
SOURCES := $(shell find config routing carriers gateway -type f -not -path '*/__pycache__/*') pyproject.toml README.md

# the tests start hundreds of processes: each would compile everything anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check bench bench-rules soak docs lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.installed ## start the gateway with a demo account and a simulated carrier; data stays in ./var
	@exec $(BIN)/scloud-sms demo --directory var

test: $(VENV)/.installed $(VENV)/.tests-installed ## run every test, PostgreSQL's included
	@scripts/need-postgresql
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not soak"

check: $(VENV)/.installed $(VENV)/.tests-installed ## format, lint, types, import contracts, quick tests
	@scripts/need-postgresql
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not soak"

bench: $(VENV)/.installed $(VENV)/.tests-installed ## measure; prints a table and writes bench.json
	PYTHONPATH=. $(BIN)/python -P -m tests.bench

bench-rules: $(VENV)/.installed $(VENV)/.tests-installed ## the same with 10,000 blocked words and a blacklist of 1,000,000
	PYTHONPATH=. $(BIN)/python -P -m tests.bench --rules

soak: $(VENV)/.installed $(VENV)/.tests-installed ## the long tests: ten minutes under load with faults
	@scripts/need-postgresql
	$(BIN)/python -m pytest -m soak tests/scenarios
	$(BIN)/python -m pytest -m soak --ignore=tests/scenarios

docs: $(VENV)/.installed ## write the reference tables in docs/ anew from the code
	$(BIN)/python scripts/reference.py

lock: $(VENV)/.venv ## resolve the dependencies anew
	$(PIP) install -q uv
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile $(LOCK) -c requirements.lock --extra test pyproject.toml -o requirements-test.lock
	echo "hatchling>=1.27" | $(BIN)/uv pip compile $(LOCK) -c requirements-test.lock - -o requirements-build.lock

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

clean: ## remove what was installed and built; ./var stays
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# stamps: what they stand for is done again only when what it was made from has changed
$(VENV)/.venv: scripts/make-venv
	@scripts/make-venv $(VENV)
	@touch $@

$(VENV)/.dependencies: $(VENV)/.venv requirements.lock requirements-build.lock
	@echo "installing dependencies …"
	@$(PIP) install -q --require-hashes -r requirements.lock -r requirements-build.lock
	@touch $@

$(VENV)/.tests-installed: $(VENV)/.dependencies requirements-test.lock
	@echo "installing what the tests need …"
	@$(PIP) install -q --require-hashes -r requirements-test.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.dependencies $(SOURCES)
	@echo "installing scloud-sms …"
	@$(PIP) install -q --no-deps --no-build-isolation --force-reinstall .
	@touch $@
