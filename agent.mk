# The guests' agents. Included by the Makefile; ARGS="..." goes to ansible-playbook.
GUESTS = -i playbooks/inventory/guests.proxmox_guests.yml

.PHONY: guest-facts install-agent

guest-facts: inventory-exists  ## Machines: All guests with address, system and agent, and why an agent is silent (OUTPUT=json)
	@$(QUIET) $(PLAYBOOK) playbooks/guest-facts.yml -e output=$(OUTPUT) $(ARGS)

install-agent: inventory-exists  ## Machines: Install the guest agent in all running guests of the cluster (ARGS="-u debian" names who logs in there)
	@$(PLAYBOOK) $(GUESTS) playbooks/install-guest-agent.yml $(ARGS)
