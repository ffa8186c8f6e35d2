# `make run` and `make test` need Python ≥ 3.11, git and make; everything else goes into .venv, pinned by hash.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test check lint types workflow-lint example bench lock clean help

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

run: $(VENV)/.run ## process the runs of config/runs.tsv (as shipped: the simulated example) to results/
	$(BIN)/snakemake --cores $(CORES)

test: $(VENV)/.dev ## run the tests
	$(BIN)/python -m pytest -n auto $(TESTS)

check: lint types workflow-lint ## everything that reads the code without running it

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

workflow-lint: $(VENV)/.dev
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

example: $(VENV)/.run ## write the shipped example anew from its seed
	$(BIN)/python -m bcrabl.simulation.example

bench: $(VENV)/.dev ## print the tables of speed and accuracy
	for script in $(TABLES); do echo "== $$script"; $(BIN)/python benchmarks/$$script.py || exit 1; done

lock: $(VENV)/.dev ## resolve the dependencies anew into both lock files
	$(BIN)/uv pip compile pyproject.toml requirements-build.in $(LOCK_FLAGS) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml requirements-build.in --extra test --extra lint -c requirements.lock \
	  $(LOCK_FLAGS) -o requirements-dev.lock

TABLES := curve_fits honesty calls dilution_sets linreg accuracy formats plate_time

LOCK_FLAGS := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-annotate --no-header

clean: ## remove results, logs and the environment
	rm -rf $(VENV) results logs .snakemake

$(VENV)/.python: Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "bcrabl needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 …"; \
	  exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/.run: $(VENV)/.python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@
