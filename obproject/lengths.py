"""How long what a project declares may be.

Client and server both import this module: ``obproject-deploy`` names what is too long by file and key before anything
is sent, and the catalogue refuses it from any client. Standard library only.
"""

NAME_LENGTH = 255
DESCRIPTION_LENGTH = 64 * 1024
ICON_LENGTH = 64
ASSET_KIND_LENGTH = 128
KEY_LENGTH = 255
"""Of a tag, a property or an annotation."""
TAG_LENGTH = 1_024
ANNOTATION_BYTES = 64 * 1024
"""Of the value of a property or an annotation, in UTF-8."""
BLOBS = 10_000
README_LENGTH = 1024 * 1024
METRICS = 200
"""How many metrics an asset declares at most."""
UNIT_LENGTH = 32
NOT_COMPARED = 200
"""How many names an asset leaves out of comparisons at most."""
SOURCE_LENGTH = 512
VERSION_ID_LENGTH = 1_024

# Of a highlight: what a tile can show. The client cuts what is longer, so that no highlight is refused for it.
HIGHLIGHT_TITLE_LENGTH = 255
HIGHLIGHT_LABELS = 12
HIGHLIGHT_LABEL_LENGTH = 64
HIGHLIGHT_LINES = 24
HIGHLIGHT_LINE_LENGTH = 1_000
HIGHLIGHT_COLUMNS = 12
HIGHLIGHT_FIGURE_LENGTH = 64
HIGHLIGHT_CAPTION_LENGTH = 255
"""Of a column, a chart, a series, a point along a chart, and of what an image shows."""
HIGHLIGHT_SERIES = 12
HIGHLIGHT_POINTS = 120
HIGHLIGHT_IMAGE_BYTES = 256 * 1024
"""A larger image is not kept; it is in the task's card."""
HIGHLIGHT_IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif")
"""An image of another type is not kept either: an SVG can have a script in it."""

# Of what a run is told with: its parameters and configs, its graph.
PARAMETER_LENGTH = 256
"""Of text and numbers, in characters; what is longer is told by digest and length."""
PARAMETER_BYTES = 1_024
"""Of lists and tables, as JSON in ASCII."""
LEFT_OUT_NAMES = 200
GRAPH_STEPS = 1_000
"""A larger graph is not told."""
RUN_TAGS = 100

DIGEST_LENGTH = 128
