"""Requests to a catalogue, from one project up to the assets of several branches.

:mod:`obproject.connection` sends them. What the modules are about:

    client              the requests about one project
    reader, writer      its assets: read from branches in order; written, with the journal of the running task
    loading             the artifact behind an instance
    branch              one branch, as deploys and teardowns see it
    protocol            the calls of the reference protocol as functions
    highlight_content   a highlight, cut to what a catalogue takes
"""
