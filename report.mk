# The report. Included by the Makefile.
REPORT ?= report

.PHONY: report

report: inventory-exists  ## Cluster: Write report.html, report.json and report.prom about it and its guests (REPORT=directory)
	@$(PLAYBOOK) playbooks/report.yml -e report_directory="$(abspath $(REPORT))" $(ARGS)
