# Two commands on a fresh machine that has Python 3.11+, git and make: `make demo` and `make test`.
# The rest is for developers. What a target needs is installed into .venv by itself.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
JOBS ?= 2

.PHONY: demo test check bench exam-schema clean

demo: $(VENV)/demo.stamp
	$(BIN)/neon-hooks demo

# Tests start the program a thousand times, and where PYTHONDONTWRITEBYTECODE is set it would be compiled each time.
test: check
	$(BIN)/python -m compileall -q neon_hooks hooks
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

check: $(VENV)/test.stamp
	$(BIN)/mypy

bench: $(VENV)/test.stamp
	$(BIN)/python -m tests.bench

# How often `neon-hooks generate` is right, beside plain migra; `make exam-schema ARGS="columns/* --details"`.
exam-schema: $(VENV)/test.stamp
	$(BIN)/python -m tests.exam $(ARGS)

clean:
	rm -rf $(VENV) .cache build *.egg-info .mypy_cache .pytest_cache

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: $(BIN)/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[local]'
	touch $@

$(VENV)/test.stamp: $(BIN)/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[local,migra,test]'
	touch $@ $(VENV)/demo.stamp
