# One door. Each target says what it needs by scripts/install.sh, which is quick when all is there.
.PHONY: run test lint bench install record

run: install
	scripts/run.sh
test: install
	scripts/test.sh
lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items
	scripts/deny.sh
bench:
	cargo bench
install:
	scripts/install.sh
record: install
	scripts/record-clients.sh
