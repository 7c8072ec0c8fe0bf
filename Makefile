# Everything runs in .venv, made once; see `make help`.

PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ROS_SOURCE := $(shell $(PYTHON) tools/make_venv.py ros-source)
ifeq ($(ROS_SOURCE),)
$(error $(PYTHON) does not run here. Name a Python 3.11 or 3.12: make PYTHON=python3.12)
endif
ENVIRONMENT := .venv/.made-with-ros-from-$(ROS_SOURCE)
MESSAGES := build/.messages-$(ROS_SOURCE)
IN_ENVIRONMENT := set +u && . .venv/env.sh && set -u &&

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
	while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

.PHONY: demo
demo: build ## three commands answered over ROS 2 by the node on a simulated camera: out/demo.png
	@$(IN_ENVIRONMENT) iterprime demo

.PHONY: pick
pick: build ## the same with a gripper that lifts what is said: out/pick.gif
	@$(IN_ENVIRONMENT) iterprime demo --pick

.PHONY: test
test: lint ## lint, then every test
	@$(IN_ENVIRONMENT) python -m pytest

.PHONY: test-lavis
test-lavis: lavis ## the tests of the profile lavis, in its environment
	@.venv-lavis/bin/python -m pytest test_lavis

.PHONY: lint
lint: build ## ruff, mypy, and which module may import which
	@$(IN_ENVIRONMENT) ruff check . && ruff format --check . && mypy && lint-imports --no-logo

.PHONY: bench
bench: build ## measure the speeds in the README on this machine (minutes)
	@$(IN_ENVIRONMENT) python benchmarks/sim.py && python benchmarks/grounding.py && \
	  python benchmarks/tabletop.py && python benchmarks/node.py

.PHONY: docs
docs: build ## the documentation site: build/docs/index.html
	@$(IN_ENVIRONMENT) NO_MKDOCS_2_WARNING=1 mkdocs build --quiet
	@echo 'Open build/docs/index.html, or, with search: python3 -m http.server --bind 127.0.0.1 --directory build/docs'

.PHONY: build
build: $(MESSAGES) ## only .venv and the messages; then run: . .venv/env.sh

.PHONY: lavis
lavis: .venv-lavis/.made ## only .venv-lavis, for the profile lavis (docs/lavis.md): minutes, 2 GB

.PHONY: clean
clean: ## remove everything that make created
	rm -rf .venv .venv-lavis build out *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(ENVIRONMENT): constraints.txt setup.py tools/make_venv.py tools/ros_wheels.py
	@$(PYTHON) tools/prerequisites.py --ros-from $(ROS_SOURCE)
	@$(PYTHON) tools/make_venv.py create
	@touch $@

.venv-lavis/.made: constraints-lavis.txt tools/make_lavis_venv.py
	@$(PYTHON) tools/make_lavis_venv.py
	@touch $@

$(MESSAGES): $(ENVIRONMENT) CMakeLists.txt package.xml $(wildcard msg/* action/* launch/* scripts/*)
	@echo 'Building the messages.'
	@rm -rf build && mkdir build
	@$(IN_ENVIRONMENT) { \
	  cmake -S . -B build -DCMAKE_INSTALL_PREFIX='$(CURDIR)/.venv' -DCMAKE_BUILD_TYPE=Release \
	    -DBUILD_TESTING=OFF -DAMENT_CMAKE_SYMLINK_INSTALL=ON && \
	  cmake --build build --parallel $$(nproc) --target install; \
	} > build/build.log 2>&1 || { tail -n 30 build/build.log; exit 1; }
	@touch $@
