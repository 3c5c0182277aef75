"""Threads that serve requests, each pool in the order in which they came.

The thread that was busy last takes the next request: its connection to the database has at hand what was just read.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from queue import SimpleQueue

Work = Callable[[], None]


class Job:
    """What a thread is to do for a coroutine that waits for it."""

    def __init__(self, work: Work) -> None:
        self.work: Work | None = work
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def finish(self, error: BaseException | None) -> None:
        """Have the coroutine go on; in the event loop."""
        if self.done.done():  # cancelled
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class Pool:
    """So many threads, for the coroutines of one event loop."""

    def __init__(self, name: str, size: int) -> None:
        self._threads = [Thread(self, f"{name}-{n + 1}") for n in range(size)]
        self._lock = threading.Lock()  # of the two below
        self._idle = self._threads[::-1]
        self._waiting: deque[Job] = deque()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, within: float) -> None:
        """Let the threads end after the jobs that are there, waiting so many seconds for them."""
        end = time.monotonic() + within
        for thread in self._threads:
            thread.inbox.put(None)
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    async def do(self, work: Work, given_up: Callable[[], Awaitable[None]]) -> None:
        """Have `work` done by a thread; raises what it raises.

        If all threads are taken, and `given_up()` ends before one is free, it is not done.
        """
        job = Job(work)
        try:
            if self._given(job):
                await job.done
            else:
                await self._done_or(given_up, job)
        finally:
            job.work = None  # a thread that has not begun with it leaves it

    def _given(self, job: Job) -> bool:
        """Whether a thread was idle; else the job waits for one."""
        with self._lock:
            if not self._idle:
                self._waiting.append(job)
                return False
            thread = self._idle.pop()
        thread.inbox.put(job)
        return True

    def next_for(self, thread: "Thread") -> Job | None:
        """The job that waits longest; if there is none, the thread is idle."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._idle.append(thread)
            return None

    async def _done_or(self, given_up: Callable[[], Awaitable[None]], job: Job) -> None:
        watch = asyncio.ensure_future(given_up())
        try:
            await asyncio.wait((job.done, watch), return_when=asyncio.FIRST_COMPLETED)
            if job.done.done():
                job.done.result()
        finally:
            watch.cancel()


class Thread(threading.Thread):
    """A thread of a pool; what it is given while it is idle comes by its inbox, None to end it."""

    def __init__(self, pool: Pool, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._pool = pool
        self.inbox: SimpleQueue[Job | None] = SimpleQueue()

    def run(self) -> None:
        while (job := self.inbox.get()) is not None:
            while job is not None:
                error = _error_of(job.work)
                job.done.get_loop().call_soon_threadsafe(job.finish, error)
                del job, error  # with the request in it, before the next one is waited for
                job = self._pool.next_for(self)


def _error_of(work: Work | None) -> BaseException | None:
    try:
        if work is not None:
            work()
    except BaseException as error:  # a thread of the pool outlives all of them
        return error
    return None
