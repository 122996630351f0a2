# The doors of the house. Each does its own set-up on a machine that has Python 3.11 or 3.12 and make.
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null && { echo $$p; break; }; done)
PORT ?= 8000
DATA ?= data
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo up test test-jax bench lint chromium nginx clean

demo: $(VENV)/installed  ## Train on MNIST, classify its test images, show the figures
	$(BIN)/tenfold demo --data $(DATA)

up: $(VENV)/installed  ## Serve until Ctrl-C: make up PORT=8000 DATA=data
	$(BIN)/tenfold up --port $(PORT) --data $(DATA)

test: $(VENV)/installed-dev chromium nginx  ## Run the tests
	$(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile

test-jax: $(VENV)/installed-dev  ## Run the tests of training on JAX alone
	$(BIN)/pytest tests/trainer/test_jax.py

bench: $(VENV)/installed-dev  ## Seconds an epoch beside plain Keras, PyTorch, JAX and bare NumPy
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[benchmarks]'
	$(BIN)/python -m benchmarks.training --datasets $(DATA)/datasets

lint: $(VENV)/installed-dev  ## Check style, types, the direction of imports, and for known kinds of weaknesses
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive web worker trainer
	$(BIN)/lint-imports

chromium:  ## The browser of the page tests, from Debian's packages
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
		echo "installing chromium for the page tests"; apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || { \
		echo "The page tests need Chromium: install it from your system's packages."; exit 1; }

nginx:  ## The reverse proxy of the tests, from Debian's packages
	@command -v nginx /usr/sbin/nginx >/dev/null || { \
		echo "installing nginx for the tests behind a proxy"; apt-get update -qq && apt-get install -y -qq nginx-light >/dev/null; } || { \
		echo "The tests behind a proxy need nginx: install it from your system's packages."; exit 1; }

clean:  ## Remove the virtual environment and caches; the data stays
	rm -rf $(VENV) .cache *.egg-info

$(VENV)/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Tenfold needs Python 3.11 or 3.12: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[worker,embedded,exports]'
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[worker,embedded,exports,postgres,jax,notebook,dev]'
	@touch $@
