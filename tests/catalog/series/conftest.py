import pytest

pytest.register_assert_rewrite("tests.catalog.series.worlds")
