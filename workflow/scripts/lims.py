"""Rule lims: the results of one run → CSV, xlsx and FHIR."""

from bcrabl.job import job
from bcrabl.lims.files import write_lims_files

with job(snakemake.log[0]):
    write_lims_files(snakemake.wildcards.run, snakemake.input, snakemake.output)
