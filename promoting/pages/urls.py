"""The addresses of the pages on which people decide."""

from django.urls import path

from catalog.pagekit.routes import ASSET, INSTANCE
from promoting.pages.choose import choose_alias_page
from promoting.pages.delete import delete_alias_page
from promoting.pages.move import move_page
from promoting.pages.promote import promote_page

urlpatterns = [
    path(f"{ASSET}/move", choose_alias_page, name="choose-alias"),
    path(f"{ASSET}/aliases/<name:alias>/move", move_page, name="move-alias"),
    path(f"{ASSET}/aliases/<name:alias>/delete", delete_alias_page, name="delete-alias"),
    path(f"{INSTANCE}/promote", promote_page, name="promote"),
]
