"""Bodies and answers of the API as JSON: what is checked of a request, and how each thing is written."""
