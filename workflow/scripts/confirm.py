"""Rule confirm: end the workflow with an error, each time, as long as a run is refused."""

from bcrabl.job import job
from bcrabl.summary import confirm

with job(snakemake.log[0]):
    confirm(snakemake.input, snakemake.output[0])
