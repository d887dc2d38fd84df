# `make` lists what there is. PYTHON is for a new .venv, PORT for `make run`, ARGS goes to pytest.
PYTHON ?= python3
PORT ?= 8000
ARGS ?=
# The whole suite: a worker for each processor, each with a database of its own. A part of it starts faster alone.
AT_ONCE = -n auto --maxprocesses 4 --dist worksteal

LOCALDB = LOCAL=1 .venv/bin/python -m ecommerce.localdb
PIP = .venv/bin/python -m pip --disable-pip-version-check
COMPILE = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: help run test test-live test-browser screenshots lint format lock manage bench bench-lists bench-growth bench-flash profile

help:
	@echo "make run                        the shop with a demo catalogue, on http://127.0.0.1:$(PORT)  (PORT=8000)"
	@echo "make test                       the tests  (ARGS='-k orders')"
	@echo "make test-live                  programs made from /openapi.json call a running shop"
	@echo "make test-browser               a browser works in the back office; needs Chromium"
	@echo "make screenshots                the pictures of the README, taken anew; needs Chromium"
	@echo "make manage do='check_books'    a management command on the database of make run"
	@echo "make lint                       ruff and mypy"
	@echo "make format                     ruff, changing files"
	@echo "make bench                      how fast, beside the classic design and PostgreSQL alone  (ARGS='--only hot')"
	@echo "make bench-lists                what a page of a list costs among a million products; takes minutes"
	@echo "make bench-growth               what an order costs when there are millions of them"
	@echo "make bench-flash                64 clients and 10,000 units of one product"
	@echo "make profile                    where the time of an order goes  (ARGS='--only list')"
	@echo "make lock                       requirements*.txt from pyproject.toml"
	@echo
	@echo "Nothing needs to be set up. With DATABASE_URL set, that PostgreSQL is used; without it, a private one."

run: .venv/installed
	@PORT=$(PORT) $(LOCALDB) -- .venv/bin/python manage.py run_local

test: .venv/installed
	@$(LOCALDB) --throwaway -- .venv/bin/python -m pytest $(or $(ARGS),$(AT_ONCE))

test-live: .venv/installed .venv-live/installed tests/live/node_modules/.package-lock.json
	@$(LOCALDB) --throwaway -- .venv/bin/python -m pytest tests/live $(ARGS)

test-browser: .venv/installed
	@$(LOCALDB) --throwaway -- .venv/bin/python -m pytest -p playwright $(or $(ARGS),tests/browser)

screenshots: .venv/installed
	@$(LOCALDB) --throwaway -- .venv/bin/python -m pytest -p playwright tests/browser/screenshots.py

manage: .venv/installed
	@$(LOCALDB) -- .venv/bin/python manage.py $(do)

bench: .venv/installed .venv-bench/installed
	@$(LOCALDB) -- .venv/bin/python -m bench $(ARGS)

bench-lists: .venv/installed
	@LOG_LEVEL=CRITICAL DJANGO_SETTINGS_MODULE=ecommerce.settings $(LOCALDB) --throwaway -- .venv/bin/python -m bench.lists

bench-growth bench-flash: bench-%: .venv/installed .venv-bench/installed
	@$(LOCALDB) -- .venv/bin/python -m bench.$* $(ARGS)

profile: .venv/installed .venv-bench/installed
	@$(LOCALDB) -- .venv/bin/python -m bench.profile $(ARGS)

lint: .venv/installed
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	LOCAL=1 .venv/bin/python -m mypy

format: .venv/installed
	.venv/bin/python -m ruff format
	.venv/bin/python -m ruff check --fix

lock: .venv/installed
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.txt
	$(COMPILE) bench/requirements.in --output-file bench/requirements.txt
	$(COMPILE) --group live --output-file requirements-live.txt

# Without `.venv/installed` an install was never finished, and .venv is made anew.
.venv/installed: requirements-dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11, 3.12 or 3.13."; exit 1; }
	@$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed, and $(PYTHON) is another: make PYTHON=python3.13 ..."; exit 1; }
	@$(PYTHON) -c "import venv, ensurepip; ensurepip.version()" 2>/dev/null \
		|| { echo "$(PYTHON) cannot make a venv: apt-get install python3-venv"; exit 1; }
	@echo "Installing the dependencies into .venv (takes about a minute) ..."
	@test -e .venv/installed || $(PYTHON) -m venv --clear .venv
	@rm -f .venv/installed
	@$(PIP) install --quiet --quiet --no-input --require-hashes --requirement requirements-dev.txt
	@touch .venv/installed

.venv-bench/installed: .venv/installed bench/requirements.txt
	@.venv/bin/python -m venv --clear .venv-bench
	@.venv-bench/bin/python -m pip --disable-pip-version-check install --quiet --quiet --no-input --require-hashes \
		--requirement bench/requirements.txt
	@touch .venv-bench/installed

.venv-live/installed: requirements-live.txt | .venv/installed
	@echo "Installing the generators of clients into .venv-live ..."
	@rm -f .venv-live/installed
	@.venv/bin/python -m venv --clear .venv-live
	@.venv-live/bin/python -m pip --disable-pip-version-check install --quiet --quiet --no-input --require-hashes \
		--requirement requirements-live.txt
	@touch .venv-live/installed

# Without npm it is never made, and the TypeScript client is skipped.
tests/live/node_modules/.package-lock.json: tests/live/package-lock.json
	@! command -v npm >/dev/null || npm ci --prefix tests/live --silent --no-fund --no-audit
