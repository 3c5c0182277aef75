"""The series of metrics over all versions of an asset, also of one with many thousands.

A value is that of a ready version that is not deprecated: the others measured nothing yet, or nothing that counts.

`shapes.py` says what a reader gets, and `reading.py` reads it: from blocks of versions that the background pass has
packed (`packing.py` their bytes, `keeping.py` their rows), and from the instances (`scanning.py`) what is newer. Of
series that are too long to show each version there are buckets (`buckets.py`), and of too many metrics some are kept
(`kept_names.py`).
"""

from catalog.series.keeping import assets_to_pack, forget_all, forget_changed, forget_undeclared, pack_one
from catalog.series.reading import Reading, names_of, series_of
from catalog.series.shapes import BLOCK, Bucket, MetricSeries, Names, Series, Span, Version

__all__ = [
    "BLOCK",
    "Bucket",
    "MetricSeries",
    "Names",
    "Reading",
    "Series",
    "Span",
    "Version",
    "assets_to_pack",
    "forget_all",
    "forget_changed",
    "forget_undeclared",
    "names_of",
    "pack_one",
    "series_of",
]
