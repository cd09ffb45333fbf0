# `make` alone says what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint audit sbom check format kafka faults bench validity screenshots dashboards clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else "Tieline needs Python 3.11 to 3.13; say which with PYTHON=...")'
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: pyproject.toml | $(BIN)/python
	@echo "installing what Tieline needs into $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --no-compile --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	@echo "installing what the tests need into $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev]'
	@touch $@ $(VENV)/run.stamp

demo: $(VENV)/run.stamp ## set up, stream a scenario through everything, show handoffs and ties (ARGS="--once" ends after that)
	@exec $(BIN)/tieline demo $(ARGS)

test: $(VENV)/dev.stamp ## set up and run all tests; says what it skipped and why (ARGS="tests/unit" for some of them)
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/dev.stamp ## formatting, ruff, mypy --strict, import contracts
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache | tail -n 3

# What users install, without what tests need, and the tools that look at it.
AUDIT := .audit
$(AUDIT)/stamp: pyproject.toml | $(BIN)/python
	@echo "installing what is looked at into $(AUDIT) (about a minute the first time)"
	@$(PYTHON) -m venv $(AUDIT)/run && $(AUDIT)/run/bin/python -m pip install --quiet --no-compile --upgrade .
	@$(PYTHON) -m venv $(AUDIT)/tools && $(AUDIT)/tools/bin/python -m pip install --quiet 'pip-audit>=2.10,<3' 'cyclonedx-bom>=7.5,<8'
	@touch $@

audit: $(AUDIT)/stamp ## known vulnerabilities of what is installed with Tieline (asks PyPI; says what it could not ask)
	@$(AUDIT)/tools/bin/pip-audit --progress-spinner off --desc off \
		--path "$$($(AUDIT)/run/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

sbom: $(AUDIT)/stamp ## what is installed with Tieline, as CycloneDX: dist/tieline.cdx.json
	@mkdir -p dist
	@$(AUDIT)/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON \
		--output-file dist/tieline.cdx.json $(AUDIT)/run/bin/python
	@echo dist/tieline.cdx.json

check: lint test audit ## what CI runs, and known vulnerabilities

format: $(VENV)/dev.stamp ## format and sort imports
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

kafka: $(VENV)/run.stamp ## run a real Apache Kafka broker on loopback (needs Java 17 and Maven)
	@exec $(BIN)/python -m deploy.kafka $(ARGS)

faults: $(VENV)/dev.stamp ## kills, brokers and stores that fail, poison, disorder, clocks, upgrades; 50 rounds where CI has two (an hour or two)
	@TIELINE_FAULT_ROUNDS=50 TIELINE_FAULT_SECONDS=20 TIELINE_FAULT_FLOOD=1000000 \
		TIELINE_GATEWAY_KILLS=50 TIELINE_BROKER_KILLS=5 TIELINE_SCHEMATHESIS_CASES=5000 \
		$(BIN)/python -m pytest -m "" tests/faults tests/integration/gateway/test_kill_gateway.py \
		tests/integration/gateway/test_schemathesis.py tests/integration/gateway/test_secured_kafka.py \
		tests/integration/store/test_cluster.py tests/integration/embedded tests/integration/pipeline \
		tests/integration/gateway/test_dead_letters.py $(ARGS)

bench: $(VENV)/dev.stamp ## events per CPU-second, peak memory, latency
	@exec $(BIN)/python -m benchmarks $(ARGS)

validity: $(VENV)/dev.stamp ## does it measure what it says: simulate, compare, write docs/validity.md (twelve minutes of one core)
	@exec $(BIN)/python -m benchmarks.validity $(ARGS)

dashboards: $(VENV)/dev.stamp ## write the Grafana JSON that docker-compose provisions and tests compare with
	@$(BIN)/python -m tests.golden.dashboards

screenshots: $(VENV)/dev.stamp ## pictures of every dashboard into docs/images (needs Chromium and its driver)
	@exec $(BIN)/python -m tests.browser.screenshots $(ARGS)

clean: ## remove the virtual environment and caches
	@rm -rf $(VENV) $(AUDIT) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
