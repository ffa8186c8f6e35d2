# Raw files → curves and Cq, one job per batch.


rule analyse:
    input:
        raw=lambda wildcards: PLAN.raw_files(wildcards.batch),
        layouts=lambda wildcards: PLAN.layouts(wildcards.batch),
        assays=lambda wildcards: PLAN.assays(wildcards.batch),
    output:
        # update(): Snakemake neither deletes earlier tables before the job nor loses them when it fails.
        # Not so the last one: it is gone after a failure, and that is what makes the job run again
        curves=update(per_batch("curves")),
        cq=update(per_batch("cq")),
        refused=f"{RESULTS}/refused/site={{site}}/{{batch}}.json",
    log:
        "logs/analyse/{site}/{batch}.log",
    benchmark:
        "logs/benchmarks/{site}/{batch}.analyse.tsv"
    conda:
        "../envs/bcrabl.yaml"
    params:
        runs=lambda wildcards: PLAN.runs_as_json(wildcards.batch),
        raw_digest=lambda wildcards: PLAN.raw_digest(wildcards.batch),
        code=code_of("analyse.py"),
    message:
        "{wildcards.batch}: reading and analysing the curves"
    script:
        "../scripts/analyse.py"
