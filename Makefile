# Everything a user or a developer does here; `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
UV := tools/uv.sh
RUN := $(UV) run --frozen --no-sync
STAMP := .venv/.installed
DEV := .venv/.installed-dev
PYTEST_ARGS ?=
WORKERS := -n auto --dist loadfile --no-loadscope-reorder
DEMO_ARGS ?=

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

LOCKED := uv.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)

# Compiled once and for all: where PYTHONDONTWRITEBYTECODE is set, every start would compile what it imports anew, for seconds.
COMPILE = $(RUN) python -m compileall -q libs services
$(STAMP) $(DEV): export UV_COMPILE_BYTECODE := 1

$(STAMP): $(LOCKED)
	@$(UV) sync --frozen --all-packages --no-dev --inexact
	@$(COMPILE)
	@touch $@

$(DEV): $(LOCKED)
	@$(UV) sync --frozen --all-packages
	@$(COMPILE)
	@touch $(STAMP) $@

install: $(STAMP) ## the Python environment, from uv.lock

demo: $(STAMP) ## the whole platform on a recorded session, at http://localhost:8080
	@$(RUN) tickstream demo $(DEMO_ARGS)

test: $(DEV) ## every test, on real servers and a real Chromium
	@tools/chromium.sh
	@$(RUN) pytest $(WORKERS) $(PYTEST_ARGS)
	@tools/dashboard.sh test

lint: $(DEV) ## formatting, lint, types, layering, the dashboard's too
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy
	@$(RUN) lint-imports
	@tools/dashboard.sh lint

fmt: $(DEV) ## format, and mend what can be mended
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .
	@tools/dashboard.sh fmt

bench: $(STAMP) ## the benchmarks, beside their peers
	@$(RUN) tickstream bench pipeline
	@$(RUN) tickstream bench bridge
	@$(RUN) tickstream bench latency

clean: ## remove what was built or installed here; the cache outside the repository stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dashboard/node_modules dashboard/dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help install demo test lint fmt bench clean
