# Curves and Cq → standard curves, copies, results, acceptance; what a new factor, sample sheet or review re-runs.


rule score:
    input:
        curves=rules.analyse.output.curves,
        cq=rules.analyse.output.cq,
        refused=rules.analyse.output.refused,
        earlier_curves=earlier("curves"),
        earlier_cq=earlier("cq"),
        assays=lambda wildcards: PLAN.assays(wildcards.batch),
        detection_studies=lambda wildcards: PLAN.detection_studies(wildcards.batch),
        response_rules=PLAN.response_rules(),
        samples=PLAN.configuration["samples"],
    output:
        standard_curves=update(per_batch("standard_curves")),
        copies=update(per_batch("copies")),
        results=update(per_batch("results")),
        qc=update(per_batch("qc")),
        status=f"{RESULTS}/status/site={{site}}/{{batch}}.json",
    log:
        "logs/score/{site}/{batch}.log",
    benchmark:
        "logs/benchmarks/{site}/{batch}.score.tsv"
    conda:
        "../envs/bcrabl.yaml"
    params:
        runs=lambda wildcards: PLAN.runs_as_json(wildcards.batch),
        earlier_runs=lambda wildcards: PLAN.earlier_runs_as_json(wildcards.batch),
        factors=lambda wildcards: PLAN.factors_as_json(wildcards.batch),
        exclusions=lambda wildcards: PLAN.exclusions_as_json(wildcards.batch),
        sheets_digest=lambda wildcards: PLAN.scoring_digest(wildcards.batch),
        code=code_of("score.py"),
    message:
        "{wildcards.batch}: calibrating, scoring, accepting"
    script:
        "../scripts/score.py"
