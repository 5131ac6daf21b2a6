# Everything that can be done here. Needs python3 (3.11 or later), make and a package index; nothing else.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PIP_ROOT_USER_ACTION := ignore
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## List what can be done
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: .venv/runtime ## Run the main job on the sample data, told step by step
	@$(BIN)/ringfence demo

test: .venv/dev ## Run all tests against a real PostgreSQL
	@$(BIN)/pytest -n auto

pictures: .venv/runtime ## Draw the pictures of docs/plots.md again, from the demonstration
	@$(BIN)/ringfence demo --pictures docs/img

run: .venv/runtime ## Start everything: gateway on port 8000, services, workers, database in var/
	@$(BIN)/ringfence up

check: format-check lint types imports generated size rules test ## Everything that must hold before a change lands

format: .venv/dev ## Format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix --quiet .

format-check: .venv/dev
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted: run make format"; exit 1; }

lint: .venv/dev ## Lint
	@$(BIN)/ruff check --quiet .

types: .venv/dev ## Check types
	@$(BIN)/mypy

imports: .venv/dev ## Check which module may import which
	@$(BIN)/lint-imports

generated: .venv/dev ## Check that descriptions, diagrams and migrations are current
	@$(BIN)/ringfence openapi --check
	@$(BIN)/ringfence states --check
	@$(BIN)/ringfence migrations-check

openapi: .venv/runtime ## Write openapi/*.json
	@$(BIN)/ringfence openapi

lint-openapi: ## Lint the description with Spectral and Redocly (needs Node.js)
	@npx --yes @stoplight/spectral-cli@6 lint openapi/gateway.json --ruleset openapi/.spectral.yaml --fail-severity=warn
	@REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
	  npx --yes @redocly/cli@2 lint openapi/gateway.json --config openapi/redocly.yaml --max-problems 0

states: .venv/runtime ## Write docs/states.md
	@$(BIN)/ringfence states

rules: .venv/dev ## Check that every branch of rules/ is covered by unit tests
	@$(BIN)/pytest tests/unit -n auto --cov=services/contracts/rules --cov=services/gateway/rules \
	  --cov=services/outcomes/rules --cov-branch --cov-fail-under=100 --cov-report=term-missing:skip-covered

size: .venv/dev ## Check that no module has grown too long
	@$(BIN)/python tests/size.py

lock: .venv/dev ## Lock every dependency again, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate --extra bench -c requirements-dev.txt pyproject.toml -o requirements-bench.txt

bench: .venv/bench ## Measure the product beside what people use today, and beside the limit (takes about an hour)
	@$(BIN)/python -m bench

clean: ## Remove the virtual environment and the embedded database
	rm -rf .venv var

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "This python3 lacks its venv module (Debian: python3-venv)."; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/runtime: .venv/bin/pip requirements.txt pyproject.toml
	@echo "Installing the locked dependencies ..."
	@$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/bin/pip requirements-dev.txt pyproject.toml
	@echo "Installing the locked dependencies and the tools for development ..."
	@$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ .venv/runtime

.venv/bench: .venv/bin/pip requirements-bench.txt pyproject.toml
	@echo "Installing the locked dependencies and the peers of the benchmarks ..."
	@$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements-bench.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ .venv/runtime

.PHONY: bench help demo pictures test run check format format-check lint types imports generated openapi lint-openapi \
	states size rules lock clean
