# Every target works from a fresh clone and installs into the clone alone; `make` lists them.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= python3
EXAMPLE ?= boston-k3s
BIN := .venv/bin
UV_VERSION := $(shell sed -n 's/^ *"uv==\([0-9.]*\)".*/\1/p' pyproject.toml)
UV := $(or $(shell command -v uv 2>/dev/null),$(BIN)/uv)
PARALLEL := -n auto --maxprocesses 4 --dist loadfile
PYTHON_FILES := edgelib tests examples tools bench

.PHONY: help setup demo demo-down test test-unit test-faults check bench

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.synced ## Python environment and, where they are not on PATH, the engine and Kubernetes
	@$(PYTHON) tools/build.py

.venv/.synced: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "edgelib needs Python 3.11 or later, and $(PYTHON) is %d.%d: make PYTHON=python3.11" % sys.version_info[:2])'
	@if [ "$(UV)" = "$(BIN)/uv" ] && [ ! -x $(BIN)/uv ]; then \
		echo "Installing uv $(UV_VERSION) into .venv"; \
		$(PYTHON) -m venv .venv; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); \
	fi
	@echo "Installing the Python packages of uv.lock into .venv"
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --locked --compile-bytecode --python $(PYTHON)
	@touch $@

demo: setup ## bring EXAMPLE (boston-k3s) up on the sandbox and say what was built
	@$(BIN)/edgelib sandbox run -- $(BIN)/python tools/demo.py up $(EXAMPLE)

demo-down: setup ## destroy EXAMPLE, check that the emulated account is empty, stop the sandbox
	@$(BIN)/edgelib sandbox run -- $(BIN)/python tools/demo.py down $(EXAMPLE)
	@$(BIN)/edgelib sandbox stop

check: .venv/.synced ## format, lint, types, import contracts, lock file
	@$(BIN)/ruff format --quiet --check $(PYTHON_FILES)
	@$(BIN)/ruff check --quiet $(PYTHON_FILES)
	@$(BIN)/basedpyright --level error >.venv/pyright.log || { cat .venv/pyright.log; exit 1; }
	@$(BIN)/lint-imports >.venv/imports.log || { cat .venv/imports.log; exit 1; }
	@$(UV) lock --quiet --check

test: setup check ## check, then the whole suite but the long fault run
	@$(BIN)/python -m pytest $(PARALLEL) -m "not faults"

test-unit: .venv/.synced ## the layers that need no engine: plans, user data, components under mocks
	@$(BIN)/python -m pytest $(PARALLEL) tests/components tests/cloudinit tests/kubernetes tests/testing $(wildcard tests/test_*.py)

test-faults: setup ## fail every AWS call of the example once, one run each (long)
	@$(BIN)/python -m pytest -m faults

bench: setup ## components against the same resources by hand: prints ratios
	@$(BIN)/python bench/components.py
