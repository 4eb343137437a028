# make setup | demo | test | lint | bench | clean: everything happens in this folder, in .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench clean

PYTHON ?= python3
TORCH ?= torch==2.13.0
OUT ?= demo
JOBS ?= 2
SHOWN := child_behind_van deer_snow_road lost_load_highway stopped_car_fog
SHOWN += hand_and_knife spill_near_laptop
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet --quiet
READY := $(VENV)/.ready

help:
	@echo "make setup   the environment in $(VENV): PyTorch, hartsim, and what the tests need"
	@echo "make demo    setup, then a gallery of hazard pictures in $(OUT)/"
	@echo "make test    setup, then the whole test suite"
	@echo "make lint    formatting, lint and types"
	@echo "make bench   the benchmarks"
	@echo "make clean   remove what these made"

setup: $(READY)
	@echo "setup: ready; the command is $(BIN)/hartsim"

$(READY): pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "hartsim needs Python 3.11 or newer: make setup PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/pip || { echo "setup: making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "setup: installing $(TORCH)"
	@$(PIP) "$(TORCH)"
	@echo "setup: installing hartsim and what its tests need"
	@$(PIP) --editable ".[dev]"
	@$(BIN)/python -c 'import cv2' 2>/dev/null || { \
	  echo "setup: OpenCV finds no libGL here, installing its headless build"; \
	  $(PIP) --force-reinstall --no-deps opencv-python-headless; }
	@$(BIN)/python -c 'from hartsim.worlds.backend import probe; probe()' 2>/dev/null || { \
	  echo "setup: no OpenGL found, installing one (lavavu-osmesa)"; \
	  $(PIP) --no-deps lavavu-osmesa; }
	@touch $@

demo: setup
	@echo "demo: six scenarios, four routes → $(OUT)/"
	@$(BIN)/hartsim generate $(SHOWN) --count 1 --seed 1 --out $(OUT)
	@$(BIN)/hartsim gallery $(OUT)
	@echo "demo: open $(OUT)/gallery.html in a browser"

test: setup
	@echo "test: the whole suite, $(JOBS) tests at a time (JOBS=N for another number)"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
	@echo "test: all passed; the slowest tests: $(BIN)/python -m pytest --durations=10"

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@echo "lint: clean"

bench: setup
	@for script in benchmarks/bench_*.py; do echo "bench: $$script"; $(BIN)/python $$script; done
	@echo "bench: the tables are above; --json prints JSON instead"

clean:
	rm -rf $(VENV) $(OUT) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
