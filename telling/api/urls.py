"""The addresses of webhooks in the v1 API."""

from django.urls import path

from telling.api import views

WEBHOOKS = "perimeters/<str:perimeter>/webhooks"
WEBHOOK = f"{WEBHOOKS}/<int:webhook_id>"

urlpatterns = [
    path(WEBHOOKS, views.WebhookList.as_view(), name="api-webhooks"),
    path(WEBHOOK, views.WebhookDetail.as_view(), name="api-webhook"),
    path(f"{WEBHOOK}/secret", views.WebhookSecret.as_view(), name="api-webhook-secret"),
    path(f"{WEBHOOK}/test", views.WebhookTest.as_view(), name="api-webhook-test"),
    path(f"{WEBHOOK}/deliveries", views.WebhookDeliveries.as_view(), name="api-deliveries"),
    path(f"{WEBHOOK}/deliveries/<int:delivery_id>/replay", views.DeliveryReplay.as_view(), name="api-replay"),
]
