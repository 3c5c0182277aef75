from tests.catalog.pages.conftest import full as full
from tests.catalog.pages.conftest import vic as vic
from tests.catalog.pages.conftest import world as world
