"""Telling people and programs what they want to be told: webhooks, mail, feeds."""
