"""Rule score: curves and Cq of one batch → standard curves, copies, results, acceptance."""

import json

from bcrabl.job import job
from bcrabl.review_sheet import ReviewEntry
from bcrabl.sheets import ConversionFactorRow, RunRow
from bcrabl.stages.batch import ScoringFiles, score_batch

with job(snakemake.log[0]):
    given = snakemake.input
    earlier = [RunRow(**row) for row in json.loads(snakemake.params.earlier_runs)]
    files = ScoringFiles(
        curves=given.curves,
        cq=given.cq,
        refused=given.refused,
        assays=given.assays,
        response_rules=given.response_rules,
        samples=given.samples,
        factors=[ConversionFactorRow(**row) for row in json.loads(snakemake.params.factors)],
        earlier=list(zip(earlier, given.earlier_curves, given.earlier_cq, strict=True)),
        exclusions=[ReviewEntry(**row) for row in json.loads(snakemake.params.exclusions)],
    )
    runs = [RunRow(**row) for row in json.loads(snakemake.params.runs)]
    score_batch(runs, files, snakemake.output)
