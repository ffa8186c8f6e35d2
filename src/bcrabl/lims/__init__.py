"""What a laboratory's information system takes over: one reported row per sample as CSV, xlsx and FHIR.

    results ──reported_rows──▶ rows ──▶ csv_text, write_xlsx, fhir_bundle

Numbers are those of the results table, digit for digit; beside them stands what a person reads, rounded and in words.
"""

from bcrabl.lims.csv import csv_text
from bcrabl.lims.fhir import fhir_bundle
from bcrabl.lims.rows import COLUMNS, reported_rows
from bcrabl.lims.xlsx import write_xlsx

__all__ = ["COLUMNS", "csv_text", "fhir_bundle", "reported_rows", "write_xlsx"]
