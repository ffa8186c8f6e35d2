# Cq and copies of the runs of a detection study → limits of blank, detection and quantification; only when asked for.

from bcrabl.study_plan import load_studies

try:
    STUDIES = load_studies(PLAN)
except BcrablError as error:
    raise WorkflowError(f"The sheets cannot be used as they are.\n{error}") from None


rule detection_limits:
    input:
        lambda wildcards: STUDIES.files(),


rule detection_study:
    input:
        cq=lambda wildcards: STUDIES.tables(wildcards.study, "cq"),
        copies=lambda wildcards: STUDIES.tables(wildcards.study, "copies"),
    output:
        # as in analyse.smk: earlier files outlive a failed job, but for the one whose absence makes it run again
        parquet=update(f"{RESULTS}/detection_limits/{{study}}.parquet"),
        svg=update(f"{RESULTS}/detection_limits/{{study}}.svg"),
        json=f"{RESULTS}/detection_limits/{{study}}.json",
    log:
        "logs/detection_limits/{study}.log",
    wildcard_constraints:
        study=ID,
    conda:
        "../envs/bcrabl.yaml"
    params:
        study=lambda wildcards: STUDIES.as_json(wildcards.study),
        code=code_of("detection_limits.py"),
    message:
        "{wildcards.study}: computing the limits of detection"
    script:
        "../scripts/detection_limits.py"
