# Every target first sets up .venv; nothing else needs to be installed for demo and serve.
.DEFAULT_GOAL := help
.PHONY: help demo serve test usual-tests test-quick test-wheels test-long lint bench bench-large release venv clean

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
export PORT
# Each worker, flow and server of the tests would compile all that it imports anew
unexport PYTHONDONTWRITEBYTECODE

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/bin/uv:
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/.serve: .venv/bin/uv requirements.txt pyproject.toml client/pyproject.toml
	@echo "Installing what the server and the examples need ..."
	@$(BIN)/uv pip install --quiet -r requirements.txt
	@$(BIN)/uv pip uninstall --quiet assetsite-obproject && rm -rf assetsite_obproject.egg-info # the client until 0.10
	@$(BIN)/uv pip install --quiet --no-deps --editable client --editable .
	@touch $@

.venv/.test: .venv/.serve requirements-dev.txt
	@echo "Installing what the tests need ..."
	@$(BIN)/uv pip install --quiet -r requirements-dev.txt
	@touch $@

venv: .venv/.serve ## Set up .venv

demo: .venv/.serve ## Run two example projects for real with Metaflow, then serve the site
	@$(BIN)/assetsite demo

serve: .venv/.serve ## Serve the site
	@$(BIN)/assetsite serve

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run
	ASSETSITE_MODE=team ASSETSITE_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
	ASSETSITE_ALLOWED_HOSTS=catalogue.example ASSETSITE_TLS=true ASSETSITE_TRUST_PROXY=true \
	ASSETSITE_CARD_ROOTS=s3://bucket ASSETSITE_RECONCILE='*=https://metadata.example' \
	DATABASE_URL=postgres://assetsite@127.0.0.1:9/assetsite $(BIN)/python manage.py check --deploy --fail-level WARNING

test: .venv/.test ## All checks and tests; some of them: make test ARGS="-k lineage"
	@$(MAKE) --no-print-directory --jobs 2 lint usual-tests

usual-tests:
	$(BIN)/python -m tests.run usual $(ARGS)

test-quick: .venv/.test ## On SQLite, without what is slow: while you write code
	$(BIN)/python -m tests.run quick $(ARGS)

test-wheels: .venv/.test ## The quick tests from the wheels, on another Python: make test-wheels PYTHON=python3.14
	$(BIN)/python -m tests.from_wheels $(PYTHON) quick $(ARGS)

test-long: .venv/.test ## What make test leaves out: more cases, the API's document, the demo rebuilt, the benchmarks once
	$(BIN)/python -m tests.run long $(ARGS)

bench: .venv/.test ## Measure, and print tables of docs/performance.md; with MLFLOW=1 also the one beside MLflow
	$(BIN)/python -m bench $(if $(MLFLOW),--mlflow)

bench-large: .venv/.test ## Measure the site at full size (PostgreSQL, dot), and print docs/performance-large.md
	$(BIN)/python -m bench.large

release: .venv/.test ## Build both wheels into dist, check them, and say how they are uploaded
	$(BIN)/python -m tests.wheels.release

clean: ## Remove .venv and caches; the catalogue in .assetsite stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
