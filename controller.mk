# The machine that Ansible runs on. Included by the Makefile.
.PHONY: doctor completion

doctor: environments | $(LINK)  ## Start: Is this machine fit to be the controller, and what to do where it is not (INVENTORY=...)
	@PYTHONPATH=build/link $(BIN)/python tests/tools/doctor.py --inventory $(INVENTORY)

completion:  ## Start: Make your bash complete these targets and their variables: source <(make -s completion)
	@cat tests/tools/completion.bash
