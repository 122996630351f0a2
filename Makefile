# The doors of the house. Each does its own set-up on a machine that has Python 3.11 to 3.13 and make.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)))' 2>/dev/null && { echo $$p; break; }; done)
PORT ?= 8000
DATA ?= data
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo up check test test-jax bench docs lint chromium nginx clean

demo: $(VENV)/installed  ## Train on MNIST, classify its test images, show the figures
	$(BIN)/tenfold demo --data $(DATA)

up: $(VENV)/installed  ## Serve until Ctrl-C: make up PORT=8000 DATA=data
	$(BIN)/tenfold up --port $(PORT) --data $(DATA)

# Tests that start no process and train nothing.
UNIT := tests/client/test_sending.py tests/files tests/trainer/architecture tests/trainer/evaluation/test_acceptance.py \
	tests/trainer/files tests/trainer/images tests/web/core tests/web/pages/charts tests/worker/sources

check: lint  ## Lint, and the tests of a minute: for every save
	$(BIN)/pytest -n logical --dist loadfile -k "not postgresql" $(UNIT)

test: $(VENV)/installed-dev chromium nginx  ## Run all the tests
	$(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile

test-jax: $(VENV)/installed-dev  ## Run the tests of training on JAX alone
	$(BIN)/pytest tests/trainer/training/engines/test_jax.py

bench: $(VENV)/installed-dev  ## Seconds an epoch beside plain Keras, PyTorch, JAX and bare NumPy
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[benchmarks]'
	$(BIN)/python -m benchmarks.training --datasets $(DATA)/datasets

docs: $(VENV)/installed-dev  ## Build the documentation into build/docs, with every link checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "open build/docs/index.html"

lint: $(VENV)/installed-dev  ## Check style, types, the direction of imports, and for known kinds of weaknesses
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive web worker trainer tenfold/client tenfold/cli
	$(BIN)/lint-imports
	$(BIN)/codespell
	@! grep -rnwiIF --include=*.py --include=*.md --include=*.html --include=*.js --include=*.yml --include=*.yaml \
		--exclude=CHANGELOG.md -f tests/wording.txt web worker trainer tenfold tests benchmarks deploy docs *.md docker-compose.yml \
		|| { echo "Say this in plainer words: tests/wording.txt lists what to avoid."; exit 1; }

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
	@test -n "$(PYTHON)" || { echo "Tenfold needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,postgres,jax,notebook,dev]'
	@touch $@
