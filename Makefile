# `make run` shows all of it on a sample CRM; `make test` tests everything but what takes minutes; `make check` is what else CI asks for.
# All set up .venv first, once. Needs Python 3.11+ with venv, and libgomp1.
PYTHON ?= python3
PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

.PHONY: run up down setup test test-all check docs truth value bench compare lock clean
.DELETE_ON_ERROR:

run: .venv/run
	@test -e data/sample-crm/leadscore.toml || .venv/bin/leadscore sample data/sample-crm
	@$(PY) flows/run.py --config data/sample-crm/leadscore.toml

# A Prefect server with the flows of prefect.yaml on their schedules, a worker, and MLflow's pages.
up: .venv/run
	@$(PY) flows/up.py --config $(or $(CONFIG),leadscore.toml)

down:
	@$(PY) flows/down.py

setup: .venv/dev

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "leadscore needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another one: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -c 'import ctypes, sys; sys.platform != "linux" or ctypes.CDLL("libgomp.so.1")' 2>/dev/null || { echo "LightGBM needs libgomp. On Debian and Ubuntu: apt-get install libgomp1; on Fedora: dnf install libgomp"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run: requirements/run.txt pyproject.toml | .venv/bin/pip
	$(PIP) --require-hashes --requirement requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements/dev.txt pyproject.toml | .venv/bin/pip
	$(PIP) --require-hashes --requirement requirements/dev.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch .venv/run $@

.venv/docs: requirements/docs.txt | .venv/bin/pip
	$(PIP) --require-hashes --requirement requirements/docs.txt
	@touch $@

# Two workers, each with one thread of linear algebra: more would wait for each other.
# Compiled files are kept, since hundreds of tests start commands as processes of their own.
TESTING := PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(PY)

test: setup
	$(TESTING) -m pytest -n 2 --dist loadfile -m "not slow"

test-all: setup truth
	$(TESTING) -m pytest -n 2 --dist loadfile --timeout 1800 --cov --cov-report=json:build/coverage.json
	$(PY) bench/coverage_by_room.py build/coverage.json

# Compares what the model says of the sample's open leads with the truth; with LEADS=20000 in a third of the time, on fewer samples.
truth: .venv/run
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(PY) bench/truth.py $(LEADS)

# What tiers and routes capture of the sample's value, settled by its truth.
value: .venv/run
	$(PY) bench/value.py

# Our model beside what others use, on the real examples and the sample; some ten minutes.
compare: setup
	$(PY) bench/compare.py --write

# Measures ratios to known work on this machine; takes half an hour and some GB of disk.
bench: setup
	$(PY) bench/ingest.py
	$(PY) bench/route.py
	$(PY) bench/open_leads.py --copies 12 --model small large --write
	$(PY) bench/slower.py
	$(PY) bench/contributions.py
	$(PY) bench/training.py
	$(PY) bench/startup.py
	$(PY) bench/serve.py

check: setup
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	.venv/bin/lint-imports
	@$(PY) bench/density.py

# The site of README, docs and examples, in build/site; a link that leads nowhere ends it.
docs: .venv/docs
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --quiet --strict
	@echo "The site is in build/site. To read it with its search: $(PY) -m http.server --bind 127.0.0.1 --directory build/site"

# Renews the locked requirements; needs uv (pip install uv).
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra build pyproject.toml --output-file requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra dev --constraint requirements/run.txt pyproject.toml --output-file requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --constraint requirements/dev.txt --group docs --output-file requirements/docs.txt

clean:
	rm -rf .venv build .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
