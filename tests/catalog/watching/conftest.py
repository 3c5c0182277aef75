from tests.catalog.watching.worlds import world

__all__ = ["world"]
