# The front door. CMake presets do the building; `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export CCACHE_NOHASHDIR := 1
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_SLOPPINESS := pch_defines,time_macros
JOBS ?= $(shell nproc)

.PHONY: help setup build dev demo test verify chaos soak fuzz bench image lint format clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## install what is missing (Debian packages, Go)
	@packaging/setup

build: setup ## release build: build/bin/konductor, build/bin/kondctl, build/lib/konductor/1/*.so
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release -j $(JOBS)
	@tests/run/install-tree build/release build

dev: setup ## development build with tests, in build/dev; links compile_commands.json
	@cmake --preset dev --log-level=WARNING >/dev/null
	@cmake --build --preset dev -j $(JOBS)
	@ln -sf build/dev/compile_commands.json compile_commands.json

demo: ## the main job, five at a time: as root thirty pods of a Job on a node, else forty processes (KEEP=1 leaves it up)
	@tests/run/demo

test: ## the tests of every change; T=regex runs those whose name matches
	@tests/run/test $(if $(T),--only '$(T)')

verify: ## before an issue is resolved: all of test, full sanitizers, full clang-tidy, long simulation
	@tests/run/verify

fuzz: setup ## fuzz every parser of outside bytes: DURATION=10m for all together, ONLY=REGEX some of them
	@cmake --preset fuzz --log-level=WARNING >/dev/null
	@cmake --build --preset fuzz -j $(JOBS)
	@tests/fuzz/run --keep --total '$(or $(DURATION),1m)' --jobs '$(JOBS)' $(if $(ONLY),--only '$(ONLY)')

soak: setup ## random worlds of the simulation on all cores for DURATION=10m, or as long as one likes
	@tests/run/soak $(or $(DURATION),10m)

chaos: build ## faults on a real API server for DURATION=30m (SEED=N: the same faults again); TTL=1: how exactly claims expire
	@tests/run/chaos --duration $(or $(DURATION),3m) $(if $(SEED),--seed $(SEED)) $(if $(TTL),--ttl)

bench: build ## figures against a floor of the same run (ONLY=scenario; DOCS=1 writes docs/benchmarks.md anew)
	@tests/run/bench $(if $(ONLY),--only '$(ONLY)') $(if $(DOCS),--docs)

image: build ## a container image of the release build, without a shell: build/konductor-image.tar
	@packaging/setup --node
	@packaging/image

lint: setup ## format, layering, clang-tidy on changed files (ALL=1: on all)
	@tests/run/lint $(if $(ALL),--all)

format: setup ## clang-format in place
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' '*.h' '*.c' | xargs clang-format-19 -i

clean: ## remove the build folder
	@rm -rf build compile_commands.json
