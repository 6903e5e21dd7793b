# `make build` makes the site, `make check` says within a minute what a change breaks, `make test` checks
# everything. All need only Python 3.11 with pip; `make test` also needs Chromium, and asks for it first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := $(BIN)/node $(VENV)/node/tests/node_modules
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
HAS_GPU := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1 && echo yes)

# Whatever the environment says: tests start hundreds of processes, and each would compile the tool anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: build check test lint quick serve bench docs lock musicgen browser clean

build: $(VENV)/.gallery $(if $(HAS_GPU),musicgen)
	$(BIN)/gallery build
	@echo "Open site/index.html in a browser, or serve it with: make serve"

check: lint quick

test: $(VENV)/bin/python browser $(VENV)/.test musicgen lint
	$(BIN)/pytest

lint: $(VENV)/.check $(VENV)/node/tests/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy --num-workers auto
	$(NODE)/@biomejs/biome/bin/biome check --config-path=tests/scripts/lint.jsonc templates/assets tests/scripts
	$(NODE)/typescript/bin/tsc --project tests/scripts

# What needs no browser, no torch and no other programs, and is soon done.
quick: $(VENV)/.check
	$(BIN)/pytest -m light

serve: $(VENV)/.gallery
	$(BIN)/gallery serve

bench: $(VENV)/.bench $(VENV)/node/benchmarks/.installed musicgen browser
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

docs: $(VENV)/.gallery
	$(BIN)/python docs/generate.py

# What the workflows install, to the last hash: after every change of versions or of what the tool needs.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --custom-compile-command 'make lock' --no-annotate --constraint constraints.txt
lock: $(VENV)/bin/python
	$(PIP) uv
	printf 'hatchling\nsetuptools\n' | $(LOCK) pyproject.toml - -o requirements.lock
	echo audiocraft | $(LOCK) --extra musicgen --extra melody pyproject.toml - -o requirements-musicgen.lock

musicgen: $(VENV)/.musicgen

# The site's tests drive a real browser: the one without windows does the same in half the time.
CHROMIUM := chromium-headless-shell
bench: CHROMIUM := chromium
FONTS := fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji
INSTALL := apt-get install -y -qq --no-install-recommends $(FONTS)
browser:
	@command -v $(CHROMIUM) >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && { apt-get update -qq && $(INSTALL) $(CHROMIUM); } >/dev/null 2>&1; } \
	  || command -v chromium >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && $(INSTALL) chromium >/dev/null; } \
	  || { echo "The tests need Chromium: install your system's package $(CHROMIUM) or chromium."; exit 1; }

# Of .gallery/ only what a build makes again: lossless renders, what was paid for, and what waits to be
# pushed to a store elsewhere cost more than time.
clean:
	rm -rf .gallery/sketches .gallery/state.sqlite*
	rm -rf $(VENV) .import_linter_cache .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "This needs Python 3.11 or later, which $(PYTHON) is not: name one with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.gallery: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.check: $(VENV)/.gallery
	$(PIP) --editable .[check]
	@touch $@

# librosa compiles some of itself where it is first imported, which takes longer than a test may.
$(VENV)/.test: $(VENV)/.check
	$(PIP) --editable .[test]
	$(BIN)/python -c "import librosa.util.utils"
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(PIP) --editable .[bench]
	@touch $@

# What only npm carries, by that folder's lock file and with the npm of a wheel: nothing outside $(VENV).
# No install scripts: one of them would download a Java of its own.
$(VENV)/node/%/.installed: %/package.json %/package-lock.json | $(VENV)/.check
	@mkdir -p $(@D) && cp $^ $(@D)
	cd $(@D) && $(CURDIR)/$(BIN)/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# In the versions of constraints.txt, also where others are there; then what else rendering needs.
$(VENV)/.musicgen: $(VENV)/.gallery
	$(PIP) --editable .[musicgen]
	PIP_QUIET=1 $(BIN)/gallery setup musicgen --yes --installer pip --no-weights
	@touch $@
