# Tables → pages, summary, and the workflow's verdict.


rule report:
    input:
        results=of_run("results", "parquet"),
        standard_curves=of_run("standard_curves", "parquet"),
        qc=of_run("qc", "parquet"),
        status=of_run("status", "json"),
    output:
        page=f"{RESULTS}/reports/{{run}}.html",
    log:
        "logs/report/{run}.log",
    conda:
        "../envs/bcrabl.yaml"
    params:
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
