"""Rule detection_study: Cq and copies of the runs of a study → its limits as table, JSON and figure."""

from bcrabl.job import job
from bcrabl.studies.study import DetectionStudy, analyse_study

with job(snakemake.log[0]):
    study = DetectionStudy.from_json(snakemake.params.study)
    analyse_study(study, snakemake.input.cq, snakemake.input.copies, snakemake.output)
