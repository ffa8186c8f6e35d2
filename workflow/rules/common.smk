# The plan of the sheets, code digests, and the few functions that hand them to the rules.

import os
import sys

from snakemake.exceptions import WorkflowError

CHECKOUT = str(workflow.current_basedir.join("../../src"))
if os.path.isdir(CHECKOUT):
    # the rules and the package of one checkout belong together, whatever else is installed
    sys.path.insert(0, os.path.abspath(CHECKOUT))

from bcrabl import job

job.let_jobs_import_this_package()

from bcrabl.errors import BcrablError
from bcrabl.plan import load_plan
from bcrabl.provenance import code_digest

try:
    PLAN = load_plan(config)
except BcrablError as error:
    raise WorkflowError(f"The sheets cannot be used as they are.\n{error}") from None

RESULTS = PLAN.configuration["results"]


ID = r"[A-Za-z0-9][A-Za-z0-9._-]*"


wildcard_constraints:
    site=ID,
    batch=ID,
    run=ID,


def code_of(script):
    """Digest of a script and all it imports, so that a change in the package re-runs the rule."""
    return code_digest(workflow.source_path(f"../scripts/{script}"))


def per_batch(table):
    """Path pattern of a table: one file per batch."""
    return f"{RESULTS}/{table}/site={{site}}/{{batch}}.parquet"


def earlier(table):
    """Input function: tables of the runs that the curves of a batch may be pooled with, run by run."""

    def paths(wildcards):
        batches = (PLAN.runs[run.run_id] for run in PLAN.earlier_runs(wildcards.batch))
        return [
            f"{RESULTS}/{table}/site={batch.site}/{batch.batch}.parquet"
            for batch in batches
        ]

    return paths


def status_files():
    """What scoring left of every batch for summary and reports."""
    return [
        f"{RESULTS}/status/site={batch.site}/{batch.batch}.json"
        for batch in PLAN.batches.values()
    ]


def report_pages():
    """The page of every run."""
    return [f"{RESULTS}/reports/{run}.html" for run in PLAN.runs]


def of_run(kind, ending):
    """Input function: a file of the batch that a run belongs to."""

    def path(wildcards):
        batch = PLAN.runs[wildcards.run]
        return f"{RESULTS}/{kind}/site={batch.site}/{batch.batch}.{ending}"

    return path


def take_folder():
    """Let one workflow at a time write results; the system frees the lock when the process ends, however it ends."""
    from bcrabl.folder_lock import take

    try:
        take(".snakemake/bcrabl.lock")
    except BcrablError as error:
        raise WorkflowError(str(error)) from None


def print_summary():
    """Tell a person what was processed and what needs review."""
    from bcrabl.summary import leftovers, summary_text

    print(summary_text(status_files()), file=sys.stderr)
    for path in leftovers(RESULTS, PLAN.batches):
        print(f"No longer in the run sheet, remove it by hand: {path}", file=sys.stderr)
