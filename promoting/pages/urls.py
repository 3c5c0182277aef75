"""The addresses of the pages on which people decide."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
