# The commands of this project. `make demo` and `make test` need Python 3.11 to 3.13, pip and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help demo test test-slow lint dev check docs accuracy bench bench-workers bench-scale clean

help:                ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

demo: $(INSTALLED)   ## render the sample clip, analyse it, print the findings
	@$(BIN)/cricksy demo

test: $(INSTALLED)   ## the whole default suite
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	@# A process for each core, four at most: each starts a PostgreSQL and pose processes of its own. Files stay whole: what one sets up is made once.
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile

test-slow: $(INSTALLED) ## long suites: faults, soak, one-minute network watch
	$(BIN)/python -m pytest -m slow

dev: $(INSTALLED)    ## Dagster UI, daemon and API on the embedded stack
	@$(BIN)/cricksy dev

check: $(INSTALLED)  ## what Dagster's own validators say of the code location
	@# A home with our dagster.yaml: without one, both commands report to Dagster's maker and leave an id in ~/.dagster.
	@mkdir -p .cricksy/dagster && cp dagster.yaml .cricksy/dagster/
	DAGSTER_HOME="$(CURDIR)/.cricksy/dagster" $(BIN)/dagster definitions validate
	DAGSTER_HOME="$(CURDIR)/.cricksy/dagster" $(BIN)/dg check defs

lint: $(INSTALLED)   ## format and lint
	$(BIN)/ruff format cricksy_pipeline cricksy_pipeline_tests
	$(BIN)/ruff check --fix cricksy_pipeline cricksy_pipeline_tests

docs: $(INSTALLED)   ## the generated pages: JSON Schemas, guardrail table, settings table
	$(BIN)/python -m cricksy_pipeline.reading.schemas docs/schemas
	$(BIN)/python docs/generate.py

accuracy: $(INSTALLED) ## the accuracy corpus: film, measure, fit the printed intervals, write docs/accuracy.md (an hour or more the first time)
	$(BIN)/python -m cricksy_pipeline_tests.truth.corpus --uncalibrated
	$(BIN)/python -m cricksy_pipeline_tests.truth.fit
	$(BIN)/python -m cricksy_pipeline_tests.truth.corpus
	$(BIN)/python -m cricksy_pipeline_tests.truth.publish
	test ! -d ../shared/clips || $(BIN)/python -m cricksy_pipeline_tests.truth.real_clips
	$(BIN)/python -m cricksy_pipeline_tests.truth.page

bench: $(INSTALLED)  ## speed against a straightforward worker and the floors (an hour or more; minutes with ARGS=--quick)
	$(BIN)/python -m benchmarks.speed $(ARGS)

bench-workers: $(INSTALLED) ## what a second worker brings, and what rules-only videos cost through warm workers (as root; half an hour)
	$(BIN)/python -m benchmarks.two_workers $(ARGS)

bench-scale: $(INSTALLED) ## what looks at many videos, at 1,000 to 100,000 of them, against its budgets (an hour or more, 25 GB)
	$(BIN)/python -m benchmarks.scale --archive $(ARGS)

clean:               ## remove the environment; the data folder .cricksy stays
	rm -rf $(VENV) .build build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(INSTALLED): pyproject.toml requirements.lock deploy/system-libraries.sh deploy/virtual-environment.sh
	@sh deploy/system-libraries.sh
	@sh deploy/virtual-environment.sh $(PYTHON) $(VENV)
	@echo "installing $$(wc -l < requirements.lock) packages into $(VENV) (1.8 GB; two minutes or more the first time)"
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	@touch $@
