"""Rule analyse: raw files of one batch → curves and Cq."""

import json

from bcrabl.job import job
from bcrabl.sheets import RunRow
from bcrabl.stages.batch import analyse_batch

with job(snakemake.log[0]):  # noqa: F821
    analyse_batch(
        runs=[RunRow(**row) for row in json.loads(snakemake.params.runs)],  # noqa: F821
        assays=snakemake.input.assays,  # noqa: F821
        output=snakemake.output,  # noqa: F821
    )
