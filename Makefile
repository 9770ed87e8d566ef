# Two commands for everybody: `make demo` and `make test`. Each needs only make and Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := model,export,medical,report,test,dev
# A process a core, each with whole files of tests; no more than four, for each may take a gigabyte.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile
# Containers often forbid bytecode: each process of the tests would compile every file of them on its own.
export PYTHONDONTWRITEBYTECODE :=

# What reads exports, keeps tables and resumes training: its tests run every branch of it.
COVERED := gazetrack.readers gazetrack.tables gazetrack.publish gradtrack_model.weights.checkpoint gradtrack_model.training.resume \
  gradtrack_model.training.run_folder gradtrack_model.training.replaced
COVERED_BY := tests/readers tests/tables tests/test_publish.py tests/weights/test_checkpoint.py \
  tests/training/test_resume.py tests/training/test_run_folder.py tests/training/test_replaced.py

.PHONY: demo test test-slow test-bounds test-bounds-all coverage lint imports style types uncompiled compiled collected docs nnunet oldest lock man clean

demo: $(VENV)/.installed
	$(BIN)/gazetrack demo --out demo-out

# What needs one core each is done at the same time, what takes longest first. Of the processes of the tests, each
# would compile kernels, and what pytest makes of the files of tests, on its own.
test: $(VENV)/.installed
	$(MAKE) --no-print-directory --jobs 2 compiled lint uncompiled collected
	$(BIN)/python -m pytest -q -m "not slow and not real_data" $(SIDE_BY_SIDE)

# What takes more than three seconds of a processor, and all of real exports, which are many: golden exports, written
# by us, are their quick siblings in `make test`.
test-slow: $(VENV)/.installed
	$(BIN)/python -m pytest -q -m "slow or real_data" $(SIDE_BY_SIDE)

compiled: $(VENV)/.installed
	$(BIN)/gazetrack warm-up >/dev/null

# What is wrong with a file of tests is told by the run itself.
collected: $(VENV)/.installed
	-@$(BIN)/python -m pytest -q --collect-only >/dev/null 2>&1

# The kernels as Python runs them: what compiled code hides, such as an index out of bounds, fails.
uncompiled: $(VENV)/.installed
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -m kernel tests/kernels

# Compiled code reads and writes beyond an array without a word: here it is compiled so that it does not, into a
# folder of its own, as what was compiled without is not to be found in its place.
test-bounds: $(VENV)/.installed
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=build/bounds-checked $(BIN)/python -m pytest -q -m kernel tests/kernels $(SIDE_BY_SIDE)

# All quick tests with indices looked at, those of arrays that the kernels' own tests do not think of.
test-bounds-all: $(VENV)/.installed
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=build/bounds-checked $(BIN)/python -m pytest -q -m "not slow and not real_data" $(SIDE_BY_SIDE)

coverage: $(VENV)/.installed
	$(BIN)/python -m pytest -q -m "not slow and not real_data" $(COVERED_BY) $(SIDE_BY_SIDE) \
	  $(addprefix --cov=,$(COVERED)) --cov-report=term-missing:skip-covered --cov-fail-under=100

lint: style imports types

style: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

imports: $(VENV)/.installed
	$(BIN)/lint-imports

types: $(VENV)/.installed
	$(BIN)/mypy

# nnU-Net itself, which is half a gigabyte: its tests are skipped where it is not installed.
nnunet: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[nnunet]"
	$(BIN)/python -m pytest -q tests/nnunet

# The tests that need no PyTorch, with the oldest packages that pyproject.toml allows; needs uv.
oldest:
	.ci/packages lowest-direct

# What builds a release, and what its users get, to the byte; needs uv. Where it is looked up is nobody's business.
LOCK := UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --upgrade --generate-hashes --no-annotate \
  --no-emit-index-url --no-emit-find-links --python-version 3.11 --python-platform linux -c constraints.txt
lock:
	$(LOCK) --output-file .ci/build.lock .ci/build.in
	$(LOCK) --output-file .ci/users.lock pyproject.toml

# A page that Sphinx would warn of is an error, and so is one that asks the network for something.
docs: $(VENV)/.docs-installed
	$(BIN)/sphinx-build -q -W --keep-going -b html -d build/docs/doctrees docs build/docs/html
	$(BIN)/python -m tests.site_check build/docs/html
	@echo "open build/docs/html/index.html"

# Look at one by: man -M man gazetrack-convert
man: $(VENV)/.installed
	$(BIN)/python -m tests.man_pages man
	@echo "wrote man/man1"

$(VENV)/.docs-installed: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "gazetrack needs Python 3.11 or newer; choose one with: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info demo-out man
