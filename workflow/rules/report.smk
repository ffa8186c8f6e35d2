# Tables → pages, summary, and the workflow's verdict.


rule report:
    input:
        curves=of_run("curves", "parquet"),
        cq=of_run("cq", "parquet"),
        standard_curves=of_run("standard_curves", "parquet"),
        copies=of_run("copies", "parquet"),
        results=of_run("results", "parquet"),
        qc=of_run("qc", "parquet"),
        status=of_run("status", "json"),
        assays=lambda wildcards: PLAN.assays(PLAN.runs[wildcards.run].batch),
    output:
        page=f"{RESULTS}/reports/{{run}}.html",
    log:
        "logs/report/{run}.log",
    conda:
        "../envs/bcrabl.yaml"
    params:
        runs=lambda wildcards: PLAN.runs_as_json(PLAN.runs[wildcards.run].batch),
        code=code_of("report.py"),
    message:
        "{wildcards.run}: writing the report"
    script:
        "../scripts/report.py"


rule summary:
    input:
        status_files(),
    output:
        table=f"{RESULTS}/summary.tsv",
        page=f"{RESULTS}/index.html",
    log:
        "logs/summary.log",
    conda:
        "../envs/bcrabl.yaml"
    params:
        code=code_of("summary.py"),
    message:
        "Writing the summary of all runs"
    script:
        "../scripts/summary.py"


rule confirm:
    # as long as a run is refused this fails, each time
    input:
        status_files(),
    output:
        f"{RESULTS}/confirmed.txt",
    log:
        "logs/confirm.log",
    conda:
        "../envs/bcrabl.yaml"
    params:
        code=code_of("confirm.py"),
    message:
        "Checking that every run could be processed"
    script:
        "../scripts/confirm.py"
