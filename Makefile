# The front door. Everything below is a preset or a script that can also be called by hand; `make help` lists it.
JOBS ?= 2
BUILD := build/release
VERSION := $(shell sed -n 's/^project.weft VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
VSIX := build/weft-$(VERSION).vsix
PACKAGE := weft-$(VERSION)-$(shell uname -s | tr A-Z a-z)-$(shell uname -m)
FUZZ_SECONDS ?= 20
PEERS := $(or $(WEFT_DEPS),.deps)/venv-peers
PEERS_MODEL ?= 0.5b
SOAK_MINUTES ?= 30
CLANG ?= $(firstword $(notdir $(wildcard /usr/bin/clang++-19 /usr/bin/clang++-16 /usr/bin/clang++)))
CTEST := ctest --test-dir $(BUILD) --output-on-failure -j$(JOBS)
SOURCES = git ls-files -co --exclude-standard -- '*.cc' '*.h'

.DEFAULT_GOAL := help
.PHONY: help demo test setup build vsix bench bench-peers bench-typing-peers soak adapters fuzz e2e check-cuda check-gpu package lint format

help:  ## list these targets
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14

demo: build  ## complete three places of a real Python file with the default model
	python3 tests/e2e/binary/demo.py --weftd $(BUILD)/bin/weftd

test: build  ## every test but the fuzz targets
	$(CTEST)

setup:  ## system packages, LibTorch, grammars, Neovim; seconds where all is there
	cmake/setup.sh

build: setup  ## build/release/bin/weft and weftd
	cmake --preset release
	cmake --build --preset release -j$(JOBS)

vsix:  ## build/weft-VERSION.vsix, the VS Code extension; needs node and npm alone
	cmake/build_vsix.sh $(VERSION) $(VSIX)

e2e: build  ## the tests that drive whole programs, a VS Code workbench (800 MB) among them
	cmake/fetch_vscode.sh $(if $(WEFT_DEPS),$(WEFT_DEPS)/vscode)
	cmake --preset release
	$(CTEST) -R '^e2e\.'

bench: build  ## latencies, as JSON; nothing passes or fails on a number
	$(BUILD)/bin/weft bench typing --json
	$(BUILD)/bin/weft bench typing --editors 4 --json
	$(BUILD)/bin/weft bench engine --json
	$(BUILD)/bin/weft bench training --json
	python3 tests/bench/lsp_latency.py --weftd $(BUILD)/bin/weftd

bench-peers: build  ## weft beside llama.cpp and OpenVINO (3 GB of wheels), as a table in docs/performance.md
	tests/bench/peers/setup.sh $(PEERS)
	$(PEERS)/bin/python tests/bench/peers/make_models.py $(PEERS_MODEL) build/peers/$(PEERS_MODEL)
	$(PEERS)/bin/python tests/bench/peers/compare.py build/peers/$(PEERS_MODEL) --weft $(BUILD)/bin/weft \
	  --json build/bench-peers-$(PEERS_MODEL).json --document docs/performance.md

bench-typing-peers: build  ## weft's daemon beside llama.cpp's server on the same typing
	tests/bench/peers/setup.sh $(PEERS)
	$(PEERS)/bin/python tests/bench/peers/make_models.py $(PEERS_MODEL) build/peers/$(PEERS_MODEL)
	$(PEERS)/bin/python tests/bench/peers/typing_server.py build/peers/$(PEERS_MODEL) --weft $(BUILD)/bin/weft \
	  --server $(PEERS)/bin/llama-server --json build/bench-typing-peers-$(PEERS_MODEL).json

soak: build  ## the recorded typing again and again for SOAK_MINUTES; fails where memory grows
	$(BUILD)/bin/weft bench typing --editors 2 --minutes $(SOAK_MINUTES)

adapters: build  ## train the default model's adapters for its present weights, from CORPUS (cmake/fetch_corpus.py)
	cmake/train_adapters.sh $(or $(CORPUS),corpus) build/adapters

fuzz: setup  ## every fuzz target for FUZZ_SECONDS (clang and its libFuzzer)
	@test -n "$(CLANG)" || { echo "make fuzz needs clang: apt-get install clang-16" >&2; exit 1; }
	cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=Release -DWEFT_WITH_TORCH=OFF -DWEFT_FUZZ=ON \
	  -DWEFT_FUZZ_SECONDS=$(FUZZ_SECONDS) -DCMAKE_CXX_COMPILER=$(CLANG)
	cmake --build build/fuzz -j$(JOBS) --target tests/fuzz/all
	ctest --test-dir build/fuzz --output-on-failure -R '^fuzz\.'

check-cuda:  ## compile and link against the CUDA LibTorch (5 GB) and start that weftd; needs no GPU
	cmake/setup.sh cuda
	cmake --preset cuda
	cmake --build --preset cuda -j$(JOBS) --target weft weftd test_unit_model_kernels_cuda
	build/cuda/bin/weftd --version
	build/cuda/bin/weft doctor
	build/cuda/bin/weftd check --tensor-parallel 2 tests/e2e/binary/demo.py:1:4
	python3 tests/e2e/binary/demo.py --weftd build/cuda/bin/weftd

check-gpu:  ## the CUDA kernels' tests on this machine's GPU; says so and skips them where there is none
	cmake/setup.sh cuda
	cmake --preset cuda
	cmake --build --preset cuda -j$(JOBS) --target test_unit_model_kernels_cuda
	ctest --test-dir build/cuda --output-on-failure -R '^unit\.model\.kernels\.cuda$$'

package: build vsix  ## build/weft-VERSION-SYSTEM.tar.gz: programs, model, LibTorch, editors
	cmake -E rm -rf build/$(PACKAGE)
	cmake --install $(BUILD) --prefix build/$(PACKAGE)
	tar -C build -czf build/$(PACKAGE).tar.gz $(PACKAGE)
	@echo build/$(PACKAGE).tar.gz

lint:  ## the rules of STYLE.md that a script can check; needs no build
	python3 tests/lint/lint.py all

format:  ## rewrite the C++ sources with clang-format
	$(SOURCES) | xargs clang-format -i
