# Storage, high availability and nodes on borrowed machines. Included by the Makefile; ARGS="..." goes to ansible-playbook.
.PHONY: nfs-storage rolling-upgrade ha-status deploy-nested join-nested departed-nodes

nfs-storage: inventory-exists  ## Storage: Set up the NFS servers of the group proxmox_nfs_servers and define proxmox_storages
	@$(PLAYBOOK) playbooks/setup_nfs_storage.yml $(ARGS)

rolling-upgrade: inventory-exists  ## HA: Upgrade the nodes one at a time, with their services carried by the others
	@$(PLAYBOOK) playbooks/rolling-upgrade.yml $(ARGS)

ha-status: inventory-exists  ## HA: Managers, services, and what is going on
	@$(QUIET) $(PLAYBOOK) playbooks/ha_status.yml $(ARGS)

deploy-nested: inventory-exists  ## Nested: Virtual machines for the cluster on the hosts of the group qemu_hosts
	@$(PLAYBOOK) playbooks/deploy-nested-nodes.yml $(ARGS)

join-nested: inventory-exists  ## Nested: The same, then identities of their own for the group nested_nodes, then the joins
	@$(PLAYBOOK) playbooks/join-nested-nodes.yml $(ARGS)

departed-nodes: inventory-exists  ## Nested: Which members are off (ARGS="-e rejoin=true"; EVICT=pve3 CONFIRM=pve3 takes one out)
	@$(PLAYBOOK) playbooks/departed-nodes.yml $(if $(EVICT),-e evict=$(EVICT) -e confirm_remove=$(CONFIRM)) $(ARGS)

# Beside the gate: machines that boot in software, and nodes that reboot one after the other.
.PHONY: test-nested
test-nested: packages environments  ## Work: Machines on borrowed hosts, and a rolling upgrade, on practice nodes (root; minutes)
	@$(BIN)/pytest tests/nested $(ARGS)
