# The life of a cluster. Included by the Makefile; every target takes INVENTORY=... and ARGS="..." for ansible-playbook.
INVENTORY ?= inventory/proxmox-cluster.ini
CONFIRM ?=
NODE ?=
OUTPUT ?= text
PLAYBOOK = PATH="$(CURDIR)/$(BIN):$$PATH" ansible-playbook -i $(INVENTORY)
# The picture alone, without the frames of plays and tasks.
QUIET = ANSIBLE_STDOUT_CALLBACK=baremetal.proxmox.quiet

.PHONY: test-cluster preflight create-cluster add-node cluster-status cluster-nodes cluster-health remove-node rejoin-node destroy-cluster inventory-exists

inventory-exists: environments
	@test -e "$(INVENTORY)" || { echo "There is no $(INVENTORY). Copy inventory/proxmox-cluster.ini.example there and put your nodes in, or name yours with INVENTORY=..."; exit 2; }

test-cluster: inventory-exists  ## Cluster: Can the nodes be reached and logged in to?
	@$(PLAYBOOK) playbooks/test_cluster.yml $(ARGS)

preflight: inventory-exists  ## Cluster: What would be in the way? Leaves no trace on any node
	@$(PLAYBOOK) playbooks/preflight.yml $(ARGS)

create-cluster: inventory-exists  ## Cluster: Create it, or join the nodes that are new in the inventory (CONFIRM=yes asks nothing)
	@tests/tools/confirm yes "$(CONFIRM)" "Create the cluster of $(INVENTORY), or join its new nodes?"
	@$(PLAYBOOK) playbooks/create-proxmox-cluster.yml $(ARGS)

add-node: create-cluster  ## Cluster: The same as create-cluster, after a new host was written into the inventory

cluster-status: inventory-exists  ## Cluster: Quorum and votes (OUTPUT=json)
	@$(QUIET) $(PLAYBOOK) playbooks/cluster_status.yml -e view=status -e output=$(OUTPUT) $(ARGS)

cluster-nodes: inventory-exists  ## Cluster: The members (OUTPUT=json)
	@$(QUIET) $(PLAYBOOK) playbooks/cluster_status.yml -e view=nodes -e output=$(OUTPUT) $(ARGS)

cluster-health: inventory-exists  ## Cluster: All checks, and SSH between the nodes; fails if something is wrong (OUTPUT=json)
	@$(QUIET) $(PLAYBOOK) playbooks/cluster_status.yml -e view=health -e output=$(OUTPUT) $(ARGS)

remove-node: inventory-exists  ## Cluster: Take a node out, dead or alive (NODE=pve3 CONFIRM=pve3)
	@tests/tools/confirm "$(NODE)" "$(CONFIRM)" "Take the node $(NODE) out of the cluster of $(INVENTORY)?"
	@$(PLAYBOOK) playbooks/remove_node.yml -e node=$(NODE) -e confirm_remove=$(NODE) $(ARGS)

rejoin-node: inventory-exists  ## Cluster: Join a node again that was installed anew under its old name (NODE=pve3 CONFIRM=pve3)
	@tests/tools/confirm "$(NODE)" "$(CONFIRM)" "Forget the old $(NODE) and join the new one?"
	@$(PLAYBOOK) playbooks/rejoin_node.yml -e node=$(NODE) -e confirm_remove=$(NODE) $(ARGS)

destroy-cluster: inventory-exists  ## Cluster: Make its nodes standalone nodes again (CONFIRM=destroy)
	@tests/tools/confirm destroy "$(CONFIRM)" "This makes the nodes of $(INVENTORY) standalone nodes again."
	@$(PLAYBOOK) playbooks/destroy-proxmox-cluster.yml -e confirm_destroy=destroy $(ARGS)

.PHONY: qdevice
STATE ?= present
qdevice: inventory-exists  ## Cluster: Give it the quorum device in the group proxmox_qnetd, or take it off (STATE=absent)
	@$(PLAYBOOK) playbooks/setup_qdevice.yml -e state=$(STATE) $(ARGS)

.PHONY: rehearse rehearse-down
# Without INVENTORY=... on the command line, three practice nodes of its own.
REHEARSAL_INVENTORY = $(if $(filter command line environment,$(origin INVENTORY)),--inventory $(INVENTORY))
PLAYBOOK_TO_REHEARSE ?= playbooks/create-proxmox-cluster.yml

rehearse: packages environments  ## Start: Run the main job on practice nodes (root); with INVENTORY=... on look-alikes of your nodes
	@tests/lab/rehearse --bin $(CURDIR)/$(BIN) $(REHEARSAL_INVENTORY) --playbook $(PLAYBOOK_TO_REHEARSE) --args "$(ARGS)"

rehearse-down:  ## Start: Remove the practice nodes of the rehearsal
	@tests/lab/rehearse --down

.PHONY: bench-cluster
bench-cluster: packages environments  ## Measure: The creation against a bare pvecm script, and how it grows (root; ARGS="--rounds 3 --grow 4,8,16")
	@$(BIN)/python tests/bench/cluster.py $(ARGS)
