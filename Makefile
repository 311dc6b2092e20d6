# Everything here works in a fresh clone with Rust installed: no cluster, no network but for crates.

CARGO ?= cargo
# Engine, replay and demo, without all that needs a cluster or a network: built in a fifth of the time.
SMALL := --profile demo --no-default-features --locked
BINARY := target/demo/probehound
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# What the image is called, and its architectures: this machine's by default.
IMAGE ?= probehound:$(VERSION)
PLATFORMS ?=

.DEFAULT_GOAL := help
.PHONY: help build static image release small demo test hunt e2e e2e-node bench bench-cluster soak picture picture-page picture-cluster picture-guard lint clean rust

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: rust ## Build the release binary
	$(CARGO) build --release --locked

static: rust ## Build static binaries for Linux: PLATFORMS="amd64 arm64" (needs clang)
	@.ci/static $(PLATFORMS)

image: rust ## Pack the container image as target/image.tar, without a container engine: IMAGE=NAME:TAG
	@.ci/image target/image.tar $(IMAGE) $(PLATFORMS)

release: rust ## Pack what a release has, in target/dist: archives, sums, the manifest for krew
	@.ci/release target/dist

small: rust
	@echo "building the demo: a minute or two, once"
	$(CARGO) build $(SMALL)

demo: small ## Play a recorded outage of 50 pods, and see what probehound says
	@echo
	@$(BINARY) demo
	@$(BINARY) demo --html target/demo.html

test: rust ## Run all tests
	@echo "building the operator and its tests: ten minutes on two cores, once; then they run for some three"
	$(CARGO) test --locked

hunt: rust ## Judge random worlds: WORLDS=20000 SEED=1, KIND=NAME, or one in full: WORLD=SEED, or small: SHRINK=SEED
	$(CARGO) test --locked --test all worlds::hunt -- --ignored --nocapture

e2e: rust ## Run the operator on a real API server, built from Go modules (minutes; needs Go)
	@tests/cluster/run

e2e-node: rust ## Run probehound on a real node: a kubelet, containers, Prometheus (root)
	@tests/node/run

bench: rust ## Measure decoding, the engine, memory and replay
	$(CARGO) bench --locked

bench-cluster: rust ## Measure the operator in a cluster of 5,000 pods, and beside client-go (minutes; needs Go)
	@tests/cluster/run bench

soak: rust ## Run the operator for two hours through churn and trouble; MINUTES=30 (needs Go)
	@tests/cluster/run soak

picture: small ## Make docs/demo.svg from what the demo prints
	$(CARGO) run --quiet --locked --example picture -- $(BINARY) > docs/demo.svg

picture-page: rust ## Make the screenshots in tests/browser/kept, and docs/incident.svg (Debian's chromium)
	tests/cluster/packages
	UPDATE_SHOTS=1 $(CARGO) test --locked --test browser looks::page_report_and_picture
	UPDATE_SHOTS=1 $(CARGO) test --locked --test all page::the_picture_in_the_readme

picture-cluster: e2e-node ## Make docs/cluster.svg from what kubectl prints on the node (root)
	$(CARGO) run --quiet --locked --example picture -- --transcript target/cluster/example.txt > docs/cluster.svg

picture-guard: e2e-node ## Make docs/guard.svg from the ready pods that the node test measured (root)
	$(CARGO) run --quiet --locked --example guard -- target/cluster/guard.txt > docs/guard.svg

lint: rust ## Check the format, the lints and, where cargo-deny is installed, the dependencies
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	# What the demo is built from.
	$(CARGO) clippy --locked --no-default-features -- -D warnings
	# Not among all targets, since "make test" leaves it out.
	$(CARGO) clippy --locked --test browser --test cluster --test node -- -D warnings
	# The fuzz targets are a workspace of their own; libFuzzer is C++.
	@if command -v c++ >/dev/null; then \
		$(CARGO) check --locked --manifest-path fuzz/Cargo.toml --target-dir target/fuzz --bins; \
	else \
		echo "no C++ compiler: the fuzz targets are not checked"; \
	fi
	@if ! $(CARGO) deny --version >/dev/null 2>&1; then \
		echo "cargo-deny is not installed: dependencies are not checked"; \
	else \
		$(CARGO) deny --locked check bans licenses sources && \
		if $(CARGO) deny --locked fetch db >/dev/null 2>&1; then \
			$(CARGO) deny --locked check advisories; \
		else \
			echo "the advisory database cannot be reached: advisories are not checked"; \
		fi; \
	fi

clean: ## Remove what was built
	$(CARGO) clean

rust:
	@command -v $(CARGO) >/dev/null || { \
		echo "error: Rust is not installed"; \
		echo "hint: install rustup as its site (rustup.rs) says; it brings the version that this project pins"; \
		exit 1; \
	}
