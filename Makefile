# `make build` makes the site, `make test` checks everything; both need only Python 3.11 with pip.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := $(BIN)/node $(VENV)/node/tests/node_modules
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
HAS_GPU := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1 && echo yes)

.PHONY: build test lint serve bench docs musicgen browser clean

build: $(VENV)/.gallery $(if $(HAS_GPU),musicgen)
	$(BIN)/gallery build
	@echo "Open site/index.html in a browser, or serve it with: make serve"

test: lint musicgen browser
	$(BIN)/pytest

lint: $(VENV)/.test $(VENV)/node/tests/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(NODE)/@biomejs/biome/bin/biome check --config-path=tests/scripts/lint.jsonc templates/assets tests/scripts
	$(NODE)/typescript/bin/tsc --project tests/scripts

serve: $(VENV)/.gallery
	$(BIN)/gallery serve

bench: $(VENV)/.bench $(VENV)/node/benchmarks/.installed musicgen browser
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

docs: $(VENV)/.gallery
	$(BIN)/python docs/generate.py

musicgen: $(VENV)/.musicgen

# The site's tests drive a real browser.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji >/dev/null; } \
	  || { echo "The tests need chromium: install your system's package of it."; exit 1; }

clean:
	rm -rf $(VENV) .gallery .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.gallery: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.gallery
	$(PIP) --editable .[test]
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(PIP) --editable .[bench]
	@touch $@

# What only npm carries, by that folder's lock file and with the npm of a wheel: nothing outside $(VENV).
# No install scripts: one of them would download a Java of its own.
$(VENV)/node/%/.installed: %/package.json %/package-lock.json | $(VENV)/.test
	@mkdir -p $(@D) && cp $^ $(@D)
	cd $(@D) && $(CURDIR)/$(BIN)/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# audiocraft's own requirements pin a torch of 2023 that no longer installs, so it comes without them.
$(VENV)/.musicgen: $(VENV)/.gallery
	$(PIP) --editable .[musicgen]
	$(PIP) --no-deps audiocraft==1.3.0
	@touch $@
