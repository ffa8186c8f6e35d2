# Raw qPCR curves to BCR::ABL1 on the International Scale. See README.md and config/README.md.

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/lims.smk"
include: "workflow/rules/detection_limits.smk"


rule all:
    default_target: True
    input:
        report_pages(),
        expand(rules.lims.output, run=PLAN.runs),
        f"{RESULTS}/summary.tsv",
        f"{RESULTS}/index.html",
        f"{RESULTS}/confirmed.txt",


onstart:
    take_folder()


onsuccess:
    print_summary()


onerror:
    print_summary()
