"""Threads that serve requests, each pool in the order in which they came."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from queue import SimpleQueue

Work = Callable[[], None]


class Job:
    """What a thread is to do for a coroutine that waits for it."""

    def __init__(self, work: Work) -> None:
        self.work: Work | None = work
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Pool:
    """So many threads, for the coroutines of one event loop."""

    def __init__(self, name: str, size: int) -> None:
        self._size = size
        self._unfinished = 0
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name=f"{name}-{n + 1}", daemon=True) for n in range(size)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, within: float) -> None:
        """Let the threads end after the jobs that are there, waiting so many seconds for them."""
        end = time.monotonic() + within
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    async def do(self, work: Work, given_up: Callable[[], Awaitable[None]]) -> None:
        """Have `work` done by a thread; raises what it raises.

        If all threads are taken, and `given_up()` ends before one is free, it is not done.
        """
        job = Job(work)
        self._unfinished += 1
        self._jobs.put(job)
        try:
            if self._unfinished > self._size:
                await self._done_or(given_up, job)
            else:
                await job.done
        finally:
            job.work = None  # a thread that has not begun with it leaves it

    async def _done_or(self, given_up: Callable[[], Awaitable[None]], job: Job) -> None:
        watch = asyncio.ensure_future(given_up())
        try:
            await asyncio.wait((job.done, watch), return_when=asyncio.FIRST_COMPLETED)
            if job.done.done():
                job.done.result()
        finally:
            watch.cancel()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            error = _error_of(job.work)
            job.done.get_loop().call_soon_threadsafe(self._finish, job, error)
            del job, error  # with the request in it, before the next one is waited for

    def _finish(self, job: Job, error: BaseException | None) -> None:
        self._unfinished -= 1
        if job.done.done():  # cancelled
            return
        if error is None:
            job.done.set_result(None)
        else:
            job.done.set_exception(error)


def _error_of(work: Work | None) -> BaseException | None:
    try:
        if work is not None:
            work()
    except BaseException as error:  # a thread of the pool outlives all of them
        return error
    return None
