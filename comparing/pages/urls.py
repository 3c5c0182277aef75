"""Addresses of the pages that compare. They come before those of the catalogue, whose instances may have any name."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
