"""Charts of metrics as places and words: templates only have to write them down.

Values become heights on a scale (`scales`), versions and moments become places along it (`along`, `dates`), and a
metric's lines become a plot (`plot`): what is drawn, where it leads, and what is said of it. Nothing here knows the
database or an address.
"""

from catalog.plotting.along import Along
from catalog.plotting.lines import Group, Line, Point
from catalog.plotting.plot import Plot
from catalog.plotting.scales import Range, too_large

__all__ = ["Along", "Group", "Line", "Plot", "Point", "Range", "too_large"]
