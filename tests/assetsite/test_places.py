"""The tests read and run the code of one place: this checkout's, or what wheels have put into site-packages."""

import re
import sysconfig
from importlib import import_module
from pathlib import Path

from assetsite import IS_INSTALLED
from tests.places import CHECKOUT, FLOW_SIDE, ROOMS, modules_in, place
from tests.test_architecture import ROOMS as PACKAGES

CODE = Path(sysconfig.get_path("purelib")) if IS_INSTALLED else CHECKOUT


def test_a_checkout_has_the_packages_unless_they_are_installed():
    assert (not any((CHECKOUT / package).exists() for package in (*PACKAGES, "templates", "static"))) == IS_INSTALLED


def test_all_packages_are_of_one_place():
    for package in PACKAGES:
        assert str(place(package)) in import_module(package).__path__
        assert place(package).is_relative_to(CODE)


def test_rooms_take_no_name_among_the_packages_of_others():
    inside = "assetsite/rooms" if IS_INSTALLED else "."
    assert CODE / inside == ROOMS
    assert {package for package in PACKAGES if place(package).parent == CODE} >= {"assetsite", *FLOW_SIDE}


def test_no_other_test_knows_where_the_code_is():
    """Else it fails beside the wheels, which few run."""
    packages = "|".join((*PACKAGES, "templates", "static", "examples"))
    by_itself = re.compile(
        rf"""__file__\)[.\w()]*\.parent(\.parent|s\[)|CHECKOUT / f?"({packages})["/]|sys\.executable, "manage\.py\""""
    )
    tests = (CHECKOUT / "tests").rglob("*.py")
    assert [path.name for path in tests if by_itself.search(path.read_text())] == ["places.py"]


def test_modules_are_named_as_a_checkout_has_them():
    assert "assetsite/settings.py" in modules_in("assetsite")
    assert not [name for name in modules_in("assetsite") if "catalog" in name]
    assert all(path.is_file() and path.match(name) for name, path in modules_in(*PACKAGES).items())
