"""What every job of the workflow needs around its work: a log file, one BLAS thread, errors without a traceback."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["job", "let_jobs_import_this_package", "without_pandas"]

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # jobs run side by side, and threads change the last bits of sums


@contextmanager
def job(log_file: str | Path) -> Iterator[None]:
    """Log to the rule's log file and to the terminal; end with exit code 1 and a clear text on an unusable input.

    Parameters
    ----------
    log_file : the rule's log.
    """
    from bcrabl.errors import BcrablError

    log = logging.getLogger("bcrabl")
    log.setLevel(logging.INFO)
    handlers = (logging.FileHandler(log_file, mode="w", encoding="utf-8"), logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
    try:
        with without_pandas():
            yield
    except BcrablError as error:
        log.error("%s", error)
        sys.exit(1)
    except Exception:
        log.exception("This is a defect of bcrabl; please report it with this text.")
        raise
    finally:
        for handler in handlers:
            log.removeHandler(handler)
            handler.close() if handler is handlers[0] else handler.flush()


class _NoPandas:
    """Import finder that does not find pandas."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not loaded in jobs", name=name)


@contextmanager
def without_pandas() -> Iterator[None]:
    """Keep pyarrow from importing pandas, which it does at its first conversion: 0.25 s that no job has a use for."""
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def let_jobs_import_this_package() -> None:
    """Put the folder this package was imported from first on the path of every job, installed or not."""
    here = str(Path(__file__).parent.parent)
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != here]
    os.environ["PYTHONPATH"] = os.pathsep.join([here, *others])
