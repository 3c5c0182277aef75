"""The series of metrics over all versions of an asset, also of one with many thousands.

A value is that of a ready version: what is pending or failed measured nothing yet, or nothing that counts. `shapes.py`
says what a reader gets; `reading.py` reads it.
"""

from catalog.series.reading import names_of, series_of
from catalog.series.shapes import BLOCK, Bucket, MetricSeries, Names, Series, Span, Version

__all__ = ["BLOCK", "Bucket", "MetricSeries", "Names", "Series", "Span", "Version", "names_of", "series_of"]
