# The documentation as pages. Included by the Makefile.
.PHONY: docs

docs:  ## Release: The documentation as pages: build/docs/html/index.html
	@$(PYTHON) tests/tools/build_docs.py $(CURDIR)/build/docs
