# `make demo` shows it, `make test` proves it. The stamps make a second run start at once.

BIN := .venv/bin

# Bytecode is kept, whatever the surroundings say: hundreds of tests start fimserver, each would compile it anew.
export PYTHONDONTWRITEBYTECODE :=

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: .venv/installed  ## see a suggestion grow while a line is typed
	@$(BIN)/fimserver demo

test: .venv/developed  ## run the whole suite
	@$(BIN)/pytest -m "not soak and not editors" -n auto --dist loadfile --no-loadscope-reorder

lint: .venv/developed  ## ruff and mypy --strict
	@$(BIN)/ruff check --quiet --extend-exclude fixtures .
	@$(BIN)/ruff format --quiet --check --extend-exclude fixtures .
	@$(BIN)/mypy --strict --no-error-summary

test-editors:  ## install real editors from packages and drive them
	@tests/editors/run.sh

test-install: .venv/released  ## install the built wheel by pip, pipx and uv, and run it
	@$(BIN)/pytest tests/install -m soak

soak: .venv/developed  ## the long form of the fault tests
	@$(BIN)/pytest -m soak

bench: .venv/installed  ## replay recorded typing through the real server and engine
	@$(BIN)/fimserver bench typing

scorecard: .venv/developed  ## measure every reliability target
	@$(BIN)/fimserver bench scorecard

release: .venv/released  ## build wheel, sdist and bill of materials of the last commit into dist
	@$(BIN)/python scripts/release.py

docs: .venv/installed  ## write the documents that come from the code
	@$(BIN)/python -m fimserver.cli.reference

site: .venv/documented  ## build the documents as pages into build/site; a warning is an error
	@$(BIN)/python scripts/pages.py

coverage: .venv/developed  ## fail if the tests of a pure package run less than 90 % of its lines
	@$(BIN)/python scripts/covered.py

clean:  ## remove what these commands made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: pyproject.toml
	@scripts/environment
	@touch $@

.venv/developed: pyproject.toml
	@scripts/environment test lint
	@touch .venv/installed $@

.venv/driven: pyproject.toml
	@scripts/environment test editors
	@touch .venv/installed $@

.venv/documented: pyproject.toml
	@scripts/environment docs
	@touch .venv/installed $@

.venv/released: pyproject.toml
	@scripts/environment test lint release
	@touch .venv/installed .venv/developed $@

.PHONY: help demo test lint test-editors test-install soak bench scorecard release docs site coverage clean
