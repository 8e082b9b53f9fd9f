# The doors of the project. `make run` and `make test` do everything on a fresh Debian 12 machine.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
# What the server is given by `make run`, e.g. make run ARGS="--listen 0.0.0.0:8080"
ARGS ?= --listen 127.0.0.1:8080 --data-dir ./data
# Where tools/setup puts a newer Node when the system's is too old.
export PATH := $(CURDIR)/build/node/node_modules/.bin-node:$(PATH)

.PHONY: run build test test-unit test-outside test-api test-fuzz test-asan test-tsan bench format lint tidy \
        setup-build setup-test setup-bench clean help

run: build ## install what is missing, build, start the server on 127.0.0.1:8080
	exec build/kinodex serve $(ARGS)

build: setup-build ## the binary at build/kinodex
	@test -f build/build.ninja || cmake --preset release -DKN_TESTS=OFF
	cmake --build build --target kinodex -j $(JOBS)

test: setup-test ## install what is missing, build, run every test
	cmake --preset release -DKN_TESTS=ON
	cmake --build build -j $(JOBS)
	tools/tidy
	ctest --test-dir build --output-on-failure --no-tests=error
	$(MAKE) test-fuzz
	tests/run all

test-unit: setup-test ## unit, conformance and integration tests of the libraries
	cmake --preset release -DKN_TESTS=ON
	cmake --build build -j $(JOBS)
	ctest --test-dir build --output-on-failure --no-tests=error

test-outside: build ## tests of the running server: contract, made-up requests, SDK, browser, fault
	tests/run all

test-api: setup-test build ## made-up requests against the document of the running server
	tests/run api

FUZZ_SECONDS ?= 10
test-fuzz: setup-test ## each fuzz target over its corpus, then a short run
	cmake --preset fuzz
	cmake --build build-fuzz -j $(JOBS) \
	    --target fuzz_multipart fuzz_query fuzz_range fuzz_metadata fuzz_plan fuzz_messages
	tests/fuzz/run build-fuzz $(FUZZ_SECONDS)

test-asan: setup-test ## unit tests under AddressSanitizer and UBSan
	cmake --preset asan
	cmake --build build-asan -j $(JOBS)
	ctest --test-dir build-asan --output-on-failure --no-tests=error

test-tsan: setup-test ## unit tests under ThreadSanitizer
	cmake --preset tsan
	cmake --build build-tsan -j $(JOBS)
	TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp halt_on_error=1" \
	    ctest --test-dir build-tsan --output-on-failure --no-tests=error

bench: setup-bench ## every row of docs/benchmarks.md, measured here
	cmake --preset release
	cmake --build build -j $(JOBS)
	bench/run

format: setup-test ## lay out all sources
	git ls-files 'src/*.h' 'src/*.cpp' 'src/*.cc' 'tests/*.cc' 'tools/*.cc' 'bench/*.cc' 'bench/*.h' \
	    | xargs clang-format-19 -i

lint: setup-test ## layout, layers and clang-tidy
	git ls-files 'src/*.h' 'src/*.cpp' 'src/*.cc' 'tests/*.cc' 'tools/*.cc' 'bench/*.cc' 'bench/*.h' \
	    | xargs clang-format-19 --dry-run --Werror
	tools/tidy
	cmake --preset release -DKN_TESTS=ON
	tools/lint -j $(JOBS)

tidy: ## the rules of the house that a script can check
	tools/tidy

setup-build:
	@tools/setup build
setup-test:
	@tools/setup build test
setup-bench:
	@tools/setup build test bench

clean: ## remove what was built, not the data
	rm -rf build build-asan build-tsan build-fuzz

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16
