# Tests with whole operating systems in guests. Included by the Makefile; beside the gate, because they boot in software.
.PHONY: test-guests
test-guests: packages environments  ## Work: A full Debian 13 as a guest of a practice node: cloud-init, login, agent (root; minutes)
	@$(BIN)/pytest tests/guests $(ARGS)
