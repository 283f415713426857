# make run     the app in the browser            PORT=8501
# make test    ruff, mypy and pytest
# make bench   speed and memory, into docs/bench.md
# make train   all stages, resumable, to OUT     DATA=folder OUT=folder MINUTES=60
# PYTHON=python3.12 chooses the interpreter (3.11 or later) for the first set-up.

PYTHON ?= python3
PORT ?= 8501
MINUTES ?= 60
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test bench train clean

run: $(VENV)/run.stamp
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: $(VENV)/test.stamp
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest

bench: $(VENV)/test.stamp
	$(BIN)/python -m bench.speed

train: $(VENV)/run.stamp
	@test -n "$(DATA)" && test -n "$(OUT)" || { echo "Say where: make train DATA=folder OUT=folder"; exit 2; }
	$(BIN)/python -m synth.training all --data "$(DATA)" --out "$(OUT)" --minutes $(MINUTES) --resume

clean:
	rm -rf $(VENV)

# A stamp is as young as the last set-up: nothing is installed again until the lists change.
$(VENV)/run.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("SynthRead needs Python 3.11 or later: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[test]'
	@touch $@
