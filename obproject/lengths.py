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
SOURCE_LENGTH = 512
VERSION_ID_LENGTH = 1_024
