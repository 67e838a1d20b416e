# One command for people and CI alike; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help install demo sandbox system test test-long golden soak fuzz bench profile check format docs lock clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.venv/installed: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	@touch $@

install: .venv/installed  ## .venv/bin/coursera-sync, ready to use

demo: install  ## the whole job on a sandbox of both platforms, nothing to configure
	$(BIN)/coursera-sync demo

sandbox: install  ## serve the sandbox of both platforms
	$(BIN)/coursera-sync sandbox

system:  ## Debian's packages that some tests need (PostgreSQL, Chromium)
	$(SUDO) apt-get update -q
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql chromium

test: .venv/installed-dev  ## all tests
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

test-long: .venv/installed-dev  ## the tests that take minutes: a kill at every moment
	$(BIN)/python -m pytest -m long

golden: .venv/installed-dev  ## write down anew what small customers' runs say and leave behind
	$(BIN)/python -m tests.golden --write

soak: .venv/installed-dev  ## a month of a changing world, with faults and kills, for ten seeds (takes hours)
	$(BIN)/python -m tests.soak --seeds 1-5
	$(BIN)/python -m tests.soak --seeds 6-10 --postgres

fuzz: .venv/installed-dev  ## thousands of odd elements and rows among good ones, for ten seeds (takes hours)
	$(BIN)/python -m tests.fuzz

bench: .venv/installed-dev  ## what the work costs, into docs/benchmarks.md (takes twenty minutes)
	$(BIN)/python -m tests.benchmarks --write

profile: .venv/installed-dev  ## where the processor time of a first run goes
	$(BIN)/python -m tests.benchmarks.profile

check: .venv/installed-dev  ## format, lint, types, import arrows
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/installed-dev  ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs:  ## draw docs/architecture.svg from docs/architecture.txt
	$(PYTHON) .ci/draw_architecture.py docs/architecture.txt docs/architecture.svg

lock:  ## write the pinned requirements anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 \
	  --no-header --no-annotate --no-strip-extras --no-emit-index-url --no-emit-find-links --generate-hashes --quiet --output-file requirements.txt
	uv pip compile pyproject.toml --group build --group dev --constraint requirements.txt --universal --python-version 3.11 \
	  --no-header --no-annotate --no-strip-extras --no-emit-index-url --no-emit-find-links --generate-hashes --quiet --output-file requirements-dev.txt
	$(PYTHON) .ci/pin_plain_names.py requirements.txt requirements-dev.txt

clean:  ## remove what make made
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
