# `make help` lists all targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
DOCS_VENV := .venv-docs

.DEFAULT_GOAL := help
.PHONY: help up preview destroy cloud tools test test-unit test-sandbox test-kill test-faults lint lint-workflows format schema docs bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/installed ## Start the sandbox cloud and deploy the platform
	@$(RUN) sandbox up

preview: $(VENV)/installed ## Show what `make up` would change
	@$(RUN) sandbox preview

destroy: $(VENV)/installed ## Delete all resources that are not protected, and list the remaining ones
	@$(RUN) sandbox destroy

cloud: $(VENV)/installed ## Start only the sandbox cloud
	@$(RUN) sandbox cloud up

tools: $(VENV)/installed ## Download or build the tools of the sandbox, once
	@$(RUN) sandbox.tools >/dev/null

# The tools come before the unit tests, as some of these run Helm and the providers' plugins.
test: lint lint-workflows tools test-unit test-sandbox ## Run all linters and tests: unit, conformance, sandbox

test-unit: $(VENV)/installed ## Run only the tests that need neither network nor root
	@$(BIN)/pytest --numprocesses=auto --dist=loadfile tests/unit tests/conformance

test-sandbox: $(VENV)/installed ## Run only the tests against the sandbox
	@$(BIN)/pytest tests/sandbox

test-kill: $(VENV)/installed ## Kill `pulumi up` at random times (KILL_COUNT, KILL_SEED), and check that no duplicates are created
	@$(BIN)/pytest -s tests/kill

test-faults: $(VENV)/installed ## Deploy while FAULT_RATE of the requests to the clouds fail (FAULT_SEED) and connections break, and check that no duplicates are created
	@$(BIN)/pytest -s tests/faults

lint: $(VENV)/installed ## Run ruff, its formatter, mypy --strict, and the linters of workflows that need no network
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/zizmor --offline --quiet --no-progress .github
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci ci/gitlab.yml

lint-workflows: $(VENV)/installed ## Run actionlint, which is downloaded or built once, with shellcheck
	@"$$($(RUN) sandbox.tools actionlint)/actionlint" -shellcheck $(BIN)/shellcheck -pyflakes ''

format: $(VENV)/installed ## Fix and format the code with ruff
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

schema: $(VENV)/installed ## Generate the JSON schemas in config/, and the tables in docs/howto/changing-keys.md
	@$(RUN) config.schema
	@$(RUN) docs.generate

docs: $(VENV)/installed $(DOCS_VENV)/installed ## Build the documentation into build/docs
	@$(RUN) docs.generate
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build

bench: $(VENV)/installed ## Measure speed and memory; destroys and creates the sandbox's unprotected resources
	@$(RUN) benchmarks

clean: ## Remove the virtual environments, the built documentation and the caches of this checkout
	rm -rf $(VENV) $(DOCS_VENV) build/docs .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Debian packages ensurepip separately from Python; a fresh machine may have neither.
$(VENV)/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "Python's venv module is missing: installing python3-venv"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned Python packages into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# A virtual environment of its own: nothing that the program runs on depends on MkDocs.
$(DOCS_VENV)/installed: requirements-docs.txt | $(VENV)/installed
	@test -x $(DOCS_VENV)/bin/python || $(PYTHON) -m venv $(DOCS_VENV)
	@$(DOCS_VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@
