"""A catalogue that is lost, and the commands that bring it back."""

from io import StringIO

from django.apps import apps
from django.core.management import call_command
from django.db import transaction

from catalog.models import Derivation


@transaction.atomic
def lose_the_catalogue() -> None:
    """An empty catalogue, as after `migrate`; who may do what stays, as the site remembers it for a moment."""
    for model in apps.get_app_config("catalog").get_models():
        if model is not Derivation:
            rows = model._default_manager.all()
            rows._raw_delete(rows.db)


def manage(command: str, *options: str) -> str:
    out = StringIO()
    call_command(command, *options, stdout=out)
    return out.getvalue()
