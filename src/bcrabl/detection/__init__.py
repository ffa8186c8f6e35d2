"""What an assay can see: limits of blank, detection and quantification.

    limit of blank           what 95 % of the results without target stay below
    limit of detection       the copies/reaction of which 95 % of the reactions are positive
    limit of quantification  the copies/reaction from which the CV of back-calculated copies is good enough

Symbols: x copies put into a reaction, of n reactions of a level y are positive, p = P(positive). Copies are always per
reaction, also where a limit is that of several reactions of a sample together. Arrays in, dataclasses out.
"""

from bcrabl.detection.blank import BlankLimit, limit_of_blank
from bcrabl.detection.from_blank import (
    MeasuredDetectionLimit,
    limit_of_detection_from_blank,
    lowest_level_above_blank,
)
from bcrabl.detection.levels import LowestLevel, lowest_level_detected
from bcrabl.detection.limits import DetectionLimit, LinkComparison, compare_links, limit_of_detection
from bcrabl.detection.links import LINKS
from bcrabl.detection.poisson import (
    copies_from_positives,
    poisson_count_interval,
    poisson_detection_probability,
    poisson_limit_of_detection,
    poisson_limit_of_quantification,
    probability_per_reaction,
)
from bcrabl.detection.quantification import QuantificationLimit, cv_from_cq_sd, limit_of_quantification

__all__ = [
    "LINKS",
    "BlankLimit",
    "DetectionLimit",
    "LinkComparison",
    "LowestLevel",
    "MeasuredDetectionLimit",
    "QuantificationLimit",
    "compare_links",
    "copies_from_positives",
    "cv_from_cq_sd",
    "limit_of_blank",
    "limit_of_detection",
    "limit_of_detection_from_blank",
    "limit_of_quantification",
    "lowest_level_above_blank",
    "lowest_level_detected",
    "poisson_count_interval",
    "poisson_detection_probability",
    "poisson_limit_of_detection",
    "poisson_limit_of_quantification",
    "probability_per_reaction",
]
