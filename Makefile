# Two commands do all the set-up: `make run` and `make test`. Everything they need is installed into .venv.
SHELL := /bin/bash
PY := .venv/bin/python
export CHANGKE_HOME ?= $(CURDIR)/.changke
DEMO ?= chain

.PHONY: run test check promises bench soak pictures messages clean

.venv/.ready: constraints.txt pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
		uv venv -q --allow-existing --python 3.11 .venv && uv pip install -q --python $(PY) -c constraints.txt -e '.[dev]'; \
	else \
		python3 -m venv .venv && $(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'; \
	fi
	@$(PY) -m changke messages --quiet
	@touch $@

run: .venv/.ready  ## set up, load the demo, open everything
	@export CHANGKE_ENV=$${CHANGKE_ENV:-demo} CHANGKE_LOG=$${CHANGKE_LOG:-text}; \
	{ cat $(CHANGKE_HOME)/keys/demo-$(DEMO).txt 2>/dev/null || $(PY) -m changke demo $(DEMO); } && exec $(PY) -m changke up

test: check  ## everything, browser included
	@timeout 900 .venv/bin/pytest -q -n 2 --dist loadfile -m "not soak and not promise"

check: .venv/.ready  ## lint, types, contracts, translations, migrations
	@$(PY) -m changke messages --check
	@.venv/bin/ruff check -q . && .venv/bin/ruff format -q --check .
	@.venv/bin/lint-imports --no-cache | tail -12
	@.venv/bin/mypy

promises: .venv/.ready  ## the promises of design/promises.md that this stage keeps, one row each
	@timeout 1500 .venv/bin/pytest -q -m "promise and not soak"

soak: .venv/.ready  ## the long sizes of the promises
	@.venv/bin/pytest -q -m soak

bench: .venv/.ready  ## the ratios of design/performance.md, both sides measured in one run
	@for script in bench/g*.py; do $(PY) $$script || exit 1; done

pictures: .venv/.ready  ## the guide's pictures into the ignored folder pictures/
	@$(PY) tests/pictures.py

messages: .venv/.ready  ## compile the translations
	@$(PY) -m changke messages

clean:
	@rm -rf .venv build dist pictures src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
