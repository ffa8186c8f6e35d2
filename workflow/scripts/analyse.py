"""Rule analyse: raw files of one batch → curves and Cq."""

import json

from bcrabl.job import job
from bcrabl.sheets import RunRow
from bcrabl.stages.batch import analyse_batch

with job(snakemake.log[0]):
    analyse_batch(
        runs=[RunRow(**row) for row in json.loads(snakemake.params.runs)],
        assays=snakemake.input.assays,
        output=snakemake.output,
    )
