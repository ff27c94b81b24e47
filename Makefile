# One door. Each target says what it needs by scripts/install.sh, which is quick when all is there.
.PHONY: run test test-unit test-engines lint bench install engines record

run:
	scripts/run.sh
test: install engines
	scripts/test.sh
# The units of packaging/systemd in a Debian that has booted; what that takes is installed by scripts/booted-debian.sh.
test-unit:
	scripts/test.sh --test booted -- --nocapture --test-threads=1
# The rest of the end-to-end tests before each engine of another release, or those named: ENGINES="trixie sid". All of
# them, and the units, where none is named.
test-engines: install engines
	scripts/test.sh --test e2e -- --ignored $(addsuffix ::,$(addprefix engines::,$(ENGINES)))
	$(if $(ENGINES),,$(MAKE) test-unit)
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
engines:
	scripts/engines.sh trixie sid
record: install engines
	scripts/record-clients.sh
