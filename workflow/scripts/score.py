"""Rule score: curves and Cq of one batch → standard curves, copies, results, acceptance."""

import json

from bcrabl.job import job
from bcrabl.sheets import ConversionFactorRow, RunRow
from bcrabl.stages.batch import ScoringFiles, score_batch

with job(snakemake.log[0]):  # noqa: F821
    given = snakemake.input  # noqa: F821
    files = ScoringFiles(
        curves=given.curves,
        cq=given.cq,
        refused=given.refused,
        assays=given.assays,
        response_rules=given.response_rules,
        samples=given.samples,
        factors=[ConversionFactorRow(**row) for row in json.loads(snakemake.params.factors)],  # noqa: F821
    )
    runs = [RunRow(**row) for row in json.loads(snakemake.params.runs)]  # noqa: F821
    score_batch(runs, files, snakemake.output)  # noqa: F821
