"""READMEs written by users, as HTML that can do no harm and fetches nothing. No database."""
