"""What a trial says at its end."""


def verdict(promises: dict[str, bool]) -> int:
    """Print each promise and whether it was kept; the exit code."""
    for promise, kept in promises.items():
        print(f"{'kept  ' if kept else 'BROKEN'}  {promise}", flush=True)
    return 0 if all(promises.values()) else 1
