# 数桥 Shuqiao. `make demo` and `make test` set themselves up; nothing here needs root, docker or apt.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
NODE := contracts/node_modules/.ready
AXE := tests/web/node_modules/.ready
ANVIL = $(firstword $(wildcard contracts/node_modules/@foundry-rs/anvil-*/bin/anvil))
DEMO = $(if $(ONCE),--once) $(if $(HOUSEHOLDS),--households $(HOUSEHOLDS)) $(if $(SEED),--seed $(SEED)) $(if $(DIRT),--dirt $(DIRT)) $(if $(DAYS),--days $(DAYS)) $(if $(CHAIN),--anvil $(ANVIL)) $(ARGS)

# SUITE=gm-1: under 国密 (docs/security.md)
ifdef SUITE
export SHUQIAO_SUITE = $(SUITE)
export SHUQIAO_TEST_SUITE = $(SUITE)
endif

.PHONY: help demo test testgm check fmt bench replay kills contract lock schema clean shots

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(VENV)/.runtime: requirements.txt requirements-fonts.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@test -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-fonts.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# the compiler and the development node; where there is no npm, what needs them says so and is skipped
$(NODE): contracts/package-lock.json
	@if command -v npm >/dev/null; then cd contracts && npm ci --loglevel=error; else echo "no npm: tests of consortium chains are skipped"; fi
	@mkdir -p $(@D) && touch $@

$(AXE): tests/web/package-lock.json
	@if command -v npm >/dev/null; then cd tests/web && npm ci --loglevel=error; else echo "no npm: pages are not searched for barriers"; fi
	@mkdir -p $(@D) && touch $@

demo: $(VENV)/.runtime $(if $(CHAIN),$(VENV)/.dev $(NODE)) ## ten counties, all the way to the chain and its members (ONCE=1 ends by itself, CHAIN=evm on an EVM node, SUITE=gm-1 under 国密)
	$(BIN)/shuqiao demo $(DEMO)

test: $(VENV)/.dev $(NODE) $(AXE) ## every test (SUITE=gm-1: under 国密)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

testgm: $(VENV)/.dev $(NODE) ## the tests that a suite of algorithms can break, under 国密: a minute (make test SUITE=gm-1: all)
	SHUQIAO_TEST_SUITE=gm-1 $(BIN)/python -m pytest -n auto --dist loadfile tests/proof tests/member/test_member.py \
		tests/chain/test_local.py tests/chain/test_headers.py tests/gateway/test_vault.py tests/promises/test_keys.py \
		tests/promises/test_erasure.py tests/promises/test_chain_is_blind.py tests/promises/test_member_alone.py $(ARGS)

check: $(VENV)/.dev ## lint, types, floors, schema drift, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy schemas adapters gateway mock_agencies
	$(BIN)/lint-imports --config pyproject.toml
	$(BIN)/python -m schemas.docs --check

fmt: $(VENV)/.dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev $(NODE) ## speed as a ratio against the floors, in the same run
	$(BIN)/python -m benchmarks $(ARGS)

replay: $(VENV)/.dev ## a mapping error over 100,000 rows, mended and replayed from what is kept
	$(BIN)/python -m benchmarks.replay $(ARGS)

kills: $(VENV)/.dev $(NODE) ## the long kill suite
	$(BIN)/python -m pytest -m kills $(ARGS)

shots: $(VENV)/.dev ## take the pictures of the dashboard for docs/ (needs Debian's chromium)
	SHUQIAO_SHOTS=1 $(BIN)/python -m pytest -q -m shots tests/web

contract: $(NODE) ## compile contracts/ConsortiumAnchor.sol into the artefact the gateway ships
	node contracts/compile.cjs

lock: ## lock dependencies with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 pyproject.toml --extra dev -o requirements-dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 -c requirements-dev.txt pyproject.toml -o requirements.txt

schema: $(VENV)/.dev ## write docs/schema.md and the JSON Schemas
	$(BIN)/python -m schemas.docs

clean: ## remove the environment and the demo's data
	rm -rf $(VENV) var build contracts/node_modules tests/web/node_modules
