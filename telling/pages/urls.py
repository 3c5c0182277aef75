"""The addresses of the pages of this room: those of webhooks, which no project can have, and of mail."""

from django.urls import path

from catalog.addresses import WATCH
from catalog.pagekit.routes import ASSET, BRANCH
from telling.pages.own import make_key, revoke_key, stop_watching, watching_page
from telling.pages.unsubscribe import unsubscribe
from telling.pages.watch import watch_asset, watch_branch
from telling.pages.webhook import webhook_page
from telling.pages.webhooks import webhooks_page

urlpatterns = [
    path("me/watching", watching_page, name="watching"),
    path("me/unsubscribe/<str:token>", unsubscribe, name="unsubscribe"),
    path("me/feeds", make_key, name="make-feed-key"),
    path("me/feeds/<int:pk>/revoke", revoke_key, name="revoke-feed-key"),
    path("me/watching/<int:pk>/stop", stop_watching, name="stop-watching"),
    path(f"{BRANCH}/{WATCH}", watch_branch, name="watch-branch"),
    path(f"{ASSET}/{WATCH}", watch_asset, name="watch"),
    path("<name:perimeter>/~webhooks", webhooks_page, name="webhooks"),
    path("<name:perimeter>/~webhooks/<int:webhook_id>", webhook_page, name="webhook"),
]
