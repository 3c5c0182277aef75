"""What stands between the web server and Django, so that no slow client holds a thread.

Granian's interface RSGI hands a request over as soon as its headers are there. `application.py` reads the body to its
end in the event loop of the process (`bodies.py`), and only then takes a thread of a pool (`pools.py`), in which
Django's WSGI handler answers (`environ.py`). `refusals.py` is what is said here without Django.
"""
