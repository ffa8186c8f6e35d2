"""Rule report: the tables of one run → one HTML page."""

from bcrabl.job import job
from bcrabl.report.files import write_run_page

with job(snakemake.log[0]):
    write_run_page(snakemake.wildcards.run, snakemake.input, snakemake.output.page, snakemake.params.runs)
