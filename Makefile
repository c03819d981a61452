# Every target works on a fresh Debian with python3 (>= 3.11), gcc, make and root; see README.md.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
BENCH_STAMP := .bench-venv/.installed
TEST_PACKAGES := nginx prometheus wrk faketime libfaketime nftables iproute2 tmux openssl libssl-dev gcc libc6-dev chromium
BENCH_PACKAGES := nginx wrk util-linux gcc libc6-dev libssl-dev
PYTEST := $(BIN)/python -m pytest
TEST_PROCESSES ?= 3
AGAIN := --last-failed --last-failed-no-failures none -p no:randomly

UI_STAMP := ui/node_modules/.installed
UI_BUILT := src/swell/report/static/report.js
UI_SOURCES := $(shell find ui/src -type f) ui/vite.config.ts ui/tsconfig.json

.PHONY: demo test faults check fmt bench coverage ui wheel test-packages clean

demo: $(STAMP) ui
	$(BIN)/swell demo

# What failed is run once more, alone, and has to hold then: shared machines stand still now and then.
test: test-packages check
	$(PYTEST) -m "not timing" -n $(TEST_PROCESSES) || $(PYTEST) -m "not timing" $(AGAIN)
	$(PYTEST) -m timing -p no:randomly || $(PYTEST) -m timing $(AGAIN)

# The table of docs/how-it-is-tested.md, as it is written there, with what was measured.
faults: test-packages $(STAMP) ui
	@missed=0; \
	$(PYTEST) tests/faults --faults full -m "row and not timing" -n $(TEST_PROCESSES) || missed=1; \
	$(PYTEST) tests/faults --faults full -m "row and timing" -p no:randomly || missed=1; \
	exit $$missed

check: $(STAMP) ui
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd ui && npm run --silent check

fmt: $(STAMP) $(UI_STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cd ui && npm run --silent format

bench: $(STAMP) $(BENCH_STAMP)
	tools/debian-packages $(BENCH_PACKAGES)
	@missed=0; for rig in throughput memory startup pacing cluster_scale; do \
		echo "== $$rig"; $(BIN)/python bench/$$rig.py || missed=1; \
	done; exit $$missed

coverage: test-packages $(STAMP) ui
	$(PYTEST) --cov --cov-report=term -m "not timing"

# The script and the style of the HTML report.
ui: $(UI_BUILT)

$(UI_BUILT): $(UI_STAMP) $(UI_SOURCES)
	cd ui && npm run --silent build

$(UI_STAMP): ui/package.json ui/package-lock.json
	@command -v npm >/dev/null || tools/debian-packages nodejs npm
	cd ui && npm ci --silent --no-audit --no-fund
	touch $@

wheel: $(STAMP) ui
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation -w dist .

test-packages:
	tools/debian-packages $(TEST_PACKAGES)

# The build backend comes from the lock too, hence no build isolation.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "swell needs Python >= 3.11")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || tools/debian-packages python3-venv
	[ -x $(BIN)/pip ] || $(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet -c constraints.txt hatchling editables
	$(BIN)/pip install --quiet -c constraints.txt --no-build-isolation -e '.[dev]'
	touch $@

# Locust, to be measured beside; apart from swell's own environment.
$(BENCH_STAMP): bench/constraints.txt | $(STAMP)
	[ -x .bench-venv/bin/pip ] || $(PYTHON) -m venv --clear .bench-venv
	.bench-venv/bin/pip install --quiet -c bench/constraints.txt locust
	touch $@

clean:
	rm -rf .venv .bench-venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage* dist bench/results
	rm -rf ui/node_modules src/swell/report/static
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
