# Results of one run → what the laboratory's information system takes over.


rule lims:
    input:
        results=of_run("results", "parquet"),
        status=of_run("status", "json"),
    output:
        csv=f"{RESULTS}/lims/{{run}}.csv",
        xlsx=f"{RESULTS}/lims/{{run}}.xlsx",
        fhir=f"{RESULTS}/lims/{{run}}.fhir.json",
    log:
        "logs/lims/{run}.log",
    conda:
        "../envs/bcrabl.yaml"
    params:
        code=code_of("lims.py"),
    message:
        "{wildcards.run}: writing the files for the LIMS"
    script:
        "../scripts/lims.py"
