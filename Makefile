# Every target works from a clean clone by itself, with or without uv, on GNU make 3.81 (macOS) and newer.

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/.ready
RUNTIME := $(VENV)/.runtime
DEMO := $(VENV)/.demo

# Each candidate is run, not only looked up: a version manager's shim may stand for a Python that is not there.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  "$$python" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$python" && break; done)

UV := $(shell uv --version >/dev/null 2>&1 && echo uv)
INSTALL := $(if $(UV),$(UV) pip install --python $(BIN)/python,$(BIN)/python -m pip install \
  --disable-pip-version-check)
PIP_THERE = $(if $(UV),,@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null)
LOCK := $(BIN)/uv pip compile --quiet --no-config --universal --no-strip-extras --python-version 3.11 --generate-hashes \
  --no-header --no-emit-index-url --no-emit-find-links

# The generated parts of the documents stand between the marks of cog, with the Python that prints them.
PAGES := $(wildcard *.md docs/*.md docs/*/*.md)
# Python with a generated part, which the pages are generated from.
GENERATED := src/claude_openai/settings/setting.py
COG := $(BIN)/cog -U -I . --verbosity=1

.PHONY: help setup setup-dev demo test test-unit check fix docs bench bench-store soak clients hostile metrics lock newest release-check clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(RUNTIME) ## Install the server into .venv, every package checked by hash
	@echo 'claude-openai is installed. Start it with: $(BIN)/claude-openai'

setup-dev: $(READY) ## Install the server and the tools of its developers; test, check and the rest do it by themselves

demo: $(DEMO) ## Stream one answer of the real Claude Code to the official openai client; no account needed
	@$(BIN)/python examples/demo.py

test: $(READY) ## Run the tests (ARGS="--cov" measures coverage, ARGS="-k stream" picks)
	@$(BIN)/python -m pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder --inline-snapshot=disable $(ARGS)

test-unit: $(READY) ## Run tests/unit with few examples, what to run while typing (ARGS as for test)
	@$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --inline-snapshot=disable --quiet --hypothesis-profile=quick \
	  tests/unit $(ARGS)

check: $(READY) ## Check format, lint, types, import contracts and the generated parts of the documents
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(COG) --check --check-fail-msg='run: make docs' $(PAGES) $(GENERATED)

fix: $(READY) ## Format, and mend what the linter can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(READY) ## Write the generated parts of the documents: tables of settings and parameters, recipes, help
	@$(COG) -r $(GENERATED)
	@$(COG) -r $(PAGES)

bench: $(READY) ## Measure what the server adds, beside others (ARGS="--only curve" picks, ARGS=--write-docs)
	@$(BIN)/python -m benchmarks $(ARGS)

bench-store: $(READY) ## Measure the store of runs at 100,000: lists, searches, sums, writes (ARGS="--runs 20000")
	@$(BIN)/python -m benchmarks.store $(ARGS)

soak: $(READY) ## Hold 200 conversations against faults of every kind, for some minutes (ARGS="--seed 7")
	@$(BIN)/python -m tests.release.soak $(ARGS)

clients: $(READY) ## Try the clients of others on the real server (ARGS="codex aider" picks, ARGS=--write makes the table)
	@$(BIN)/python -m clients $(ARGS)

hostile: $(READY) ## Send the server what no client would, beside a client that goes on (ARGS="references" picks)
	@$(BIN)/python -m benchmarks.hostile $(ARGS)

metrics: $(READY) ## Count how the code reads: functions, grain, and what one request enters (ARGS=--json)
	@$(BIN)/python -m benchmarks.metrics $(ARGS)

lock: $(READY) ## Compile the pinned requirements again (ARGS="--upgrade" takes the newest)
	$(LOCK) $(ARGS) --output-file requirements/runtime.txt pyproject.toml
	$(LOCK) $(ARGS) --output-file requirements/dev.txt --constraint requirements/runtime.txt \
	  pyproject.toml requirements/dev.in
	$(LOCK) $(ARGS) --output-file requirements/build.txt --constraint requirements/dev.txt requirements/build.in
	$(LOCK) $(ARGS) --output-file requirements/demo.txt --constraint requirements/dev.txt pyproject.toml requirements/demo.in
	@set -e; for list in clients/*/requirements.in benchmarks/*/requirements.in; do \
	  echo $$list; $(LOCK) $(ARGS) --output-file $${list%in}txt $$list; \
	done

newest: ## Run the tests with the newest Agent SDK and packages, in an environment of its own; ARGS as for test
	@"$(PYTHON)" -m venv .newest
	@.newest/bin/python requirements/newest.py > .newest/requirements.txt
	@.newest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade --requirement .newest/requirements.txt
	@.newest/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@.newest/bin/python requirements/newest.py --changed
	@.newest/bin/python -m pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder --inline-snapshot=disable $(ARGS)

release-check: $(READY) ## Build sdist and wheel, check their metadata, and run the demo from each in an empty environment
	@$(BIN)/python -m tests.release.packaging.release

clean: ## Remove .venv, caches and builds
	rm -rf $(VENV) .newest build dist htmlcov .coverage .coverage.* \
	  .clients .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# hatchling, which makes the editable install, is in build.txt: nothing is fetched that has no hash.
$(RUNTIME): $(VENV)/pyvenv.cfg requirements/runtime.txt requirements/build.txt pyproject.toml
	$(PIP_THERE)
	@$(INSTALL) --require-hashes --requirement requirements/runtime.txt --requirement requirements/build.txt
	@$(INSTALL) --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEMO): $(RUNTIME) requirements/demo.txt
	$(PIP_THERE)
	@$(INSTALL) --quiet --require-hashes --requirement requirements/demo.txt
	@touch $@

$(READY): $(VENV)/pyvenv.cfg requirements/dev.txt pyproject.toml
	$(PIP_THERE)
	@$(INSTALL) --quiet --require-hashes --requirement requirements/dev.txt
	@$(INSTALL) --quiet --no-deps --no-build-isolation --editable .
	@touch $(RUNTIME) $(DEMO) $@

$(VENV)/pyvenv.cfg:
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' 2>/dev/null || { \
	  echo 'claude-openai needs Python 3.11 or newer; name one with: make setup PYTHON=/path/to/python3.11' >&2; exit 1; }
	@rm -rf $(VENV)
	$(if $(UV),$(UV) venv --quiet --python "$(PYTHON)" $(VENV),"$(PYTHON)" -m venv $(VENV))

# An interpreter that was upgraded away leaves an environment that no longer runs: it is made again.
ifeq ($(shell test -x $(BIN)/python && echo runs),)
.PHONY: $(VENV)/pyvenv.cfg
endif
