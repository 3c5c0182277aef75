"""The addresses of the pages on which people decide."""

from django.urls import path

from catalog.pagekit.routes import ASSET, BRANCH, INSTANCE
from promoting.pages.choose import choose_alias_page
from promoting.pages.delete import delete_alias_page
from promoting.pages.delete_asset import delete_asset_page
from promoting.pages.deleted import deleted_page
from promoting.pages.deprecate import deprecate_page
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
    path(f"{BRANCH}/deleted", deleted_page, name="deleted"),
    path(f"{ASSET}/delete", delete_asset_page, name="delete-asset"),
    path(f"{INSTANCE}/deprecate", deprecate_page, name="deprecate"),
    path(f"{INSTANCE}/promote", promote_page, name="promote"),
]
