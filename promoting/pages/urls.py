"""The addresses of the pages on which people decide."""

from django.urls import path

from catalog.pagekit.routes import ASSET, INSTANCE
from promoting.pages.choose import choose_alias_page
from promoting.pages.delete import delete_alias_page
from promoting.pages.move import move_page
from promoting.pages.promote import promote_page
from promoting.pages.request import request_page
from promoting.pages.requests import requests_page

urlpatterns = [
    path(f"{ASSET}/move", choose_alias_page, name="choose-alias"),
    path(f"{ASSET}/aliases/<name:alias>/move", move_page, name="move-alias"),
    path(f"{ASSET}/aliases/<name:alias>/delete", delete_alias_page, name="delete-alias"),
    path(f"{ASSET}/requests<twin:twin>", requests_page, name="requests"),
    path(f"{ASSET}/requests/<int:request_id><twin:twin>", request_page, name="request"),
    path(f"{INSTANCE}/promote", promote_page, name="promote"),
]
