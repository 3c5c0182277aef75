"""The JSON of the API: bodies of requests are checked, answers are made."""
