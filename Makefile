# One door. Each target says what it needs by scripts/install.sh, which is quick when all is there.
.PHONY: run test test-unit lint bench install record

run:
	scripts/run.sh
test: install
	scripts/test.sh
# The units of packaging/systemd in a Debian that has booted; what that takes is installed by scripts/booted-debian.sh.
test-unit:
	scripts/test.sh --test booted -- --nocapture --test-threads=1
lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo clippy --test booted -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items
	scripts/deny.sh
bench:
	cargo bench
install:
	scripts/install.sh
record: install
	scripts/record-clients.sh
