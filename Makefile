# Everything runs in .venv, which the first target makes; nothing but Python (3.10 or later), git and make is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help env demo test lint rule-docs check-docs new-rule schemas bench multitool clean

help:
	@echo "make demo       lint examples/ and show the findings"
	@echo "make test       run all tests"
	@echo "make lint       ruff and mypy"
	@echo "make rule-docs  write docs/rules/ from the rule files"
	@echo "make new-rule NAME=… AREA=…   scaffold a rule"
	@echo "make schemas    fetch the API schemas of all Kubernetes versions again (needs PyPI)"
	@echo "make bench      measure speed"
	@echo "make multitool  validate the SARIF of examples/ (and SARIF=files) with Microsoft's Multitool (needs npm)"

env: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "kubelint-ack needs Python 3.10 or later: make env PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@# There are no builds of it for Alpine, Windows on ARM and Python 3.10; its tests are left out there.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --editable '.[cel]' || \
	  echo "CEL is not available here: the tests that need it are skipped"
	@touch $@

demo: env
	@$(BIN)/kubelint-ack check --root examples --fail-on never examples

test: env
	$(BIN)/python -m pytest -q -n auto --dist loadgroup

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict kubelint_ack

rule-docs: env
	$(BIN)/python -m kubelint_ack.docs

check-docs: env
	@$(BIN)/python -m kubelint_ack.docs --check || { echo "docs/rules is stale: run 'make rule-docs'"; exit 1; }

new-rule: env
	@$(BIN)/python -m kubelint_ack.scaffold "$(NAME)" "$(AREA)"

schemas: env
	$(BIN)/python build_schemas.py

bench: env
	$(BIN)/python bench/bench.py

multitool: env
	@mkdir -p .cache
	@$(BIN)/kubelint-ack check --root examples --fail-on never -f concise -o sarif=.cache/examples.sarif \
	  --repository-uri https://github.com/kubelint-ack/kubelint-ack --revision $$(git rev-parse HEAD) examples > .cache/examples.txt
	@$(BIN)/python .ci/multitool .cache/examples.sarif $(SARIF)

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
