"""Rule summary: the status of every batch → summary table and index page."""

from bcrabl.job import job
from bcrabl.report.files import write_summary

with job(snakemake.log[0]):
    write_summary(snakemake.input, snakemake.output.table, snakemake.output.page)
