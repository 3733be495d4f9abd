# Every target makes .venv when it is missing, and installs again when pyproject.toml changes.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
DEMO := demo-tour
# The tests write thousands of small files, each to the disk for certain: in memory where there is some.
SCRATCH := $(shell test -w /dev/shm && echo /dev/shm || echo $${TMPDIR:-/tmp})

.PHONY: help demo test coverage test-cluster check fmt bench docs clean
help:
	@echo "make demo    a tour of the commands over a made-up database, in ./$(DEMO)"
	@echo "make test    the tests"
	@echo "make coverage  the same, and which lines they ran; takes a third longer"
	@echo "make test-cluster  purges and kills on a MariaDB Galera cluster of three nodes; takes minutes"
	@echo "make check   format, lint, types, tests: what has to pass before a commit"
	@echo "make fmt     format the code"
	@echo "make docs    write the generated pages of docs/ again"
	@echo "make bench   the benchmarks; takes half an hour, and needs room for three databases"

needs-%:
	@PYTHON=$(PYTHON) .ci/needs $*

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or later is needed. On Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV), once ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,postgres,mysql]'
	@touch $@

demo: needs-demo $(STAMP)
	@rm -rf $(DEMO)
	@$(BIN)/gdpr demo $(DEMO)
	@echo "To type them: . $(BIN)/activate && cd $(DEMO)"

test: needs-test $(STAMP)
	TMPDIR=$(SCRATCH) $(BIN)/python -m pytest -n 2 --dist worksteal $(COVERAGE)

coverage: COVERAGE := --cov=staffords_gdpr --cov-report=term:skip-covered
coverage: test

# The suite's tests of MariaDB's locks, of purges and of kills, on the first node; then those that kill nodes.
test-cluster: needs-cluster $(STAMP)
	GDPR_TEST_CLUSTER=1 GDPR_TEST_ENGINES=mariadb TMPDIR=$(SCRATCH) $(BIN)/python -m pytest \
	  tests/operations/test_purge_engines.py tests/operations/test_locks.py \
	  tests/operations/test_erasure_engines.py tests/crash/test_killed.py
	TMPDIR=$(SCRATCH) $(BIN)/python -m pytest tests/cluster

check: needs-test $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict
	$(MAKE) test

fmt: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP)
	$(BIN)/python -m staffords_gdpr.cli.docs

bench: $(STAMP)
	$(BIN)/python -m benchmarks --write

clean:
	rm -rf $(VENV) $(DEMO) .pytest_cache .mypy_cache .ruff_cache .coverage
