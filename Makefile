# The one entry point. `make help` shows the targets; the parts of `make test` are listed in tests/tools/gate/parts.py.
SHELL := /bin/bash
PYTHON ?= python3
NAMESPACE := $(shell sed -n 's/^namespace: *//p' galaxy.yml)
NAME := $(shell sed -n 's/^name: *//p' galaxy.yml)
VERSION := $(shell sed -n 's/^version: *//p' galaxy.yml)
# A link is enough for everything but ansible-test, which resolves it and needs a real copy.
LINK := build/link/ansible_collections/$(NAMESPACE)/$(NAME)
COPY := build/copy/ansible_collections/$(NAMESPACE)/$(NAME)
GATE := PYTHONPATH=tests/tools $(PYTHON) -m gate
BIN := .venv/newest/bin
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/build/link
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup packages environments test lint docs-lint unit sanity practice integration conformance dist dist-check format changelog clean

help:  ## Start: Show the targets
	@$(PYTHON) tests/tools/show_targets.py $(MAKEFILE_LIST)

setup: packages environments  ## Start: Install what the gate needs: Debian packages (as root) and virtual environments

packages:  ## Start: The Debian packages alone (without root: nothing)
	@if [ "$$(id -u)" = 0 ]; then tests/tools/install-debian-packages; fi

environments: | $(LINK)  ## Start: The virtual environments alone
	@$(PYTHON) tests/tools/environments.py --quiet

$(LINK):
	@mkdir -p $(@D) && ln -sfn $(CURDIR) $@

test: packages environments  ## Gate: Everything: lint, unit, sanity, practice nodes, conformance, tarball (FRESH=1: also what has not changed)
	@$(GATE)

lint: environments  ## Gate: Style, types, shell files and ansible-lint
	@$(GATE) lint

docs-lint: environments  ## Gate: Documentation of plugins and roles, changelog fragments
	@$(GATE) docs-lint

unit: environments  ## Gate: Unit tests, on every ansible-core (one test: .venv/newest/bin/pytest tests/unit/...)
	@$(GATE) unit

sanity: environments  ## Gate: ansible-test sanity in its own virtual environments
	@$(GATE) sanity

practice: packages environments  ## Gate: Tests on practice nodes (root)
	@$(GATE) practice

integration: packages environments  ## Gate: Whole playbooks over SSH on practice nodes (root)
	@$(GATE) integration

conformance: packages environments  ## Gate: Hold the practice nodes against the recordings of real nodes (root; ARGS="--diff cluster/2-join")
	@$(PYTHON) tests/conformance/run.py $(ARGS)

dist-check: environments  ## Gate: Install the tarball somewhere else and run a module and a playbook from it
	@$(GATE) dist-check

dist: environments  ## Release: Build the tarball for Galaxy
	@$(PYTHON) tests/tools/copy_tree.py $(COPY)
	@$(BIN)/ansible-galaxy collection build --force --output-path build $(COPY)

changelog: environments  ## Release: Write CHANGELOG.md from the fragments
	@$(BIN)/antsibull-changelog release --version $(VERSION)

format: environments  ## Work: Format the Python files
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix-only --quiet .

include cluster.mk vms.mk agent.mk report.mk controller.mk nested.mk guests.mk docs.mk

clean:  ## Work: Remove what was built (.venv stays)
	rm -rf build tests/output .mypy_cache .ruff_cache .ansible
