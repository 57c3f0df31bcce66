# Virtual machines. Included by the Makefile; VMS=... is the file that declares them, ARGS="..." goes to ansible-playbook.
VMS ?= vm_config.yml

.PHONY: create-vms vm-status destroy-vms vm-config-exists

vm-config-exists: inventory-exists
	@test -e "$(VMS)" || { echo "There is no $(VMS). Copy vm_config.example.yml to vm_config.yml and declare your machines, or name yours with VMS=..."; exit 2; }

create-vms: vm-config-exists  ## Machines: Settle all virtual machines of vm_config.yml (ARGS="--check --diff" shows the plan)
	@$(PLAYBOOK) playbooks/create-vms.yml -e @$(VMS) $(ARGS)

vm-status: vm-config-exists  ## Machines: How they are, and what differs from vm_config.yml (OUTPUT=json)
	@$(QUIET) $(PLAYBOOK) playbooks/vm-status.yml -e @$(VMS) -e output=$(OUTPUT) $(ARGS)

destroy-vms: vm-config-exists  ## Machines: Remove those of vm_config.yml with their disks; templates stay (CONFIRM=destroy)
	@tests/tools/confirm destroy "$(CONFIRM)" "This removes the virtual machines of $(VMS) with their disks."
	@$(PLAYBOOK) playbooks/destroy-vms.yml -e @$(VMS) -e confirm_destroy=destroy $(ARGS)

.PHONY: bench-vms
bench-vms: packages environments  ## Measure: Machines by the collection against a recipe, proxmox_kvm and qm create (root; ARGS="compare --machines 5")
	@$(BIN)/python tests/bench/vms.py $(ARGS)
