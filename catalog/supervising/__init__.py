"""What the process of `assetsite serve` does for those that it starts.

It makes sure that the port is free (`ports.py`), starts the web processes and starts each again that dies
(`web_processes.py`), and has a process of its own beside them that does the jobs of the background (`beside.py`). It
does neither itself: a process is forked off (`forks.py`) safely only by one in which nothing else is at work. All of
them end with it (`orphans.py`).
"""
