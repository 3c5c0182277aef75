"""The addresses of the pages of webhooks, which no project can have."""

from django.urls import path

from telling.pages.webhook import webhook_page
from telling.pages.webhooks import webhooks_page

urlpatterns = [
    path("<name:perimeter>/~webhooks", webhooks_page, name="webhooks"),
    path("<name:perimeter>/~webhooks/<int:webhook_id>", webhook_page, name="webhook"),
]
