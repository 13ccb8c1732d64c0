"""Where units are worked: processes with limits of time and memory, so that a hang or a crash costs one unit."""

from __future__ import annotations

import functools
import os
import pickle
import signal
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from scanner.errors import PersondataError
from scanner.model import Limits, Why

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

TICK = 0.1
"""Seconds between two looks at a worker's memory and progress."""
START_SECONDS = 60.0
"""The least time that a worker gets to prepare, whatever a unit gets."""
HEAVY = 2**20
"""Units that together are larger than this (`Task.size`) do not wait behind each other."""
ROOM = 6_000
"""Bytes that fit into any system's pipe while nobody reads it (macOS: 8 KiB): what a busy worker is sent at most."""
_ONE_THREAD = "OPENBLAS_NUM_THREADS"
"""Workers are processes; threads beside them made each small text ten times as dear."""
CULPRIT = 4_096
"""The longest name that `watch` keeps, in code points."""

READY, REFUSED, PARTIAL, DONE, FAILED = range(5)


@dataclass(frozen=True, slots=True)
class Task:
    """A unit to be worked. `payload` can be pickled and is small; `size` is only compared. `attempt` counts from 1."""

    key: int
    payload: Any
    size: int = 0
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Partial:
    """A part of a unit's result; void unless a `Done` with the same key and attempt follows."""

    key: int
    attempt: int
    payload: Any


@dataclass(frozen=True, slots=True)
class Done:
    """The unit was worked to its end; `payload` is what `work` returned."""

    key: int
    attempt: int
    payload: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The unit was not worked to its end. `culprit` is what `watch` last named, "" if nothing; `detail` is no content."""

    key: int
    attempt: int
    why: Why
    detail: str
    culprit: str


S = TypeVar("S")
Message: TypeAlias = Partial | Done | Failed
Watch: TypeAlias = Callable[[str], None]
Work: TypeAlias = Callable[[S, Any, Watch], Generator[Any, None, Any]]


def run(
    tasks: Iterable[Task],
    work: Work[S],
    *,
    prepare: Callable[[], S],
    workers: int | None,
    limits: Limits,
    again: deque[Task] | None = None,
) -> Generator[Message, None, None]:
    """Work every task in one of `workers` processes and give the messages as they come, in order for each unit.

    `prepare` runs once in each process; `work(state, payload, watch)` yields partial payloads, returns the final one
    and says with `watch(name)` what it is reading. Both can be imported by name, and what `work` gives can be pickled.
    A process starts only when there is a task for it; `tasks` is pulled as workers have room, in the caller's thread.
    Tasks that the caller appends to `again` meanwhile are worked before new ones (with a higher `attempt`, please).
    Close the generator (`contextlib.closing`) to end the workers at once. `workers=None` works in this very process,
    without limits, for tests and profiles. Raises what `prepare` raised, or `PersondataError` if no worker can start.
    """
    supply = _Supply(tasks, deque() if again is None else again)
    if workers is None:
        yield from _inline(supply, work, prepare)
    elif supply.has(1):
        pool = _Pool(supply, work, prepare, max(workers, 1), limits)
        try:
            yield from pool.messages()
        finally:
            pool.close()


def _inline(supply: _Supply, work: Work[S], prepare: Callable[[], S]) -> Iterator[Message]:
    if not supply.has(1):
        return
    board, state = _Board(bytearray(_Board.SIZE)), prepare()
    while supply.has(1):
        task = supply.waiting.popleft()
        board.begin()
        for step in _steps(work, state, pickle.dumps(task.payload), board, Limits()):
            yield _message(task, *pickle.loads(step))  # noqa: S301 - our own


class _Supply:
    """Tasks in the order in which they are wanted: handed back by a worker, to be tried again, new."""

    def __init__(self, tasks: Iterable[Task], again: deque[Task]) -> None:
        self.waiting: deque[Task] = deque()
        self._again = again
        self._new = iter(tasks)

    def has(self, count: int) -> bool:
        while len(self.waiting) < count:
            task = self._again.popleft() if self._again else next(self._new, None)
            if task is None:
                return False
            self.waiting.append(task)
        return True


class _Board:
    """What a worker says about itself in memory that outlives it: units begun, signs of life, tiredness, the culprit.

    The culprit has two places and a number that says which one holds: a death while it is written loses nothing.
    """

    _PLACE = 4 + 4 * CULPRIT
    SIZE = 32 + 2 * _PLACE

    def __init__(self, memory: Any) -> None:
        self._bytes = memoryview(memory).cast("B")
        self._counts = self._bytes[:32].cast("Q")

    def begin(self) -> None:
        self.watch("")
        self._counts[0] += 1

    def begun(self) -> int:
        return self._counts[0]

    def life(self) -> int:
        return self._counts[1]

    def tire(self) -> None:
        """Have this worker replaced after its unit: what needed much memory once seldom gives it back."""
        self._counts[2] = 1

    def tired(self) -> bool:
        return self._counts[2] == 1

    def watch(self, name: str) -> None:
        data = name[:CULPRIT].encode("utf-8", "surrogatepass")
        other = 1 - self._counts[3]
        start = 32 + other * self._PLACE
        struct.pack_into("I", self._bytes, start, len(data))
        self._bytes[start + 4 : start + 4 + len(data)] = data
        self._counts[3] = other
        self._counts[1] += 1

    def culprit(self) -> str:
        start = 32 + self._counts[3] * self._PLACE
        length: int = struct.unpack_from("I", self._bytes, start)[0]
        return bytes(self._bytes[start + 4 : start + 4 + length]).decode("utf-8", "surrogatepass")


def _message(task: Task, kind: int, *rest: Any) -> Message:
    if kind == FAILED:
        return Failed(task.key, task.attempt, *rest)
    return (Partial if kind == PARTIAL else Done)(task.key, task.attempt, *rest)


def _too_large(limits: Limits) -> tuple[Why, str]:
    size = limits.unit_memory
    amount = f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"
    return Why.TOO_LARGE, f"needed more than {amount} of memory"


# In the worker


def _serve(conn: Connection, memory: Any, settle: Callable[[], None], prepare: Callable[[], S], work: Work[S], limits: Limits) -> None:
    """The life of a worker: prepare once, then work what comes until the pipe is closed or it is tired."""
    settle()
    board = _Board(memory)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            state = prepare()
        except PersondataError as error:
            conn.send((REFUSED, error))
            return
        except Exception as error:
            conn.send((REFUSED, PersondataError(f"a worker could not start: {_place(error)}")))
            return
        _guard(limits.unit_memory)
        conn.send((READY,))
        while True:
            payload = conn.recv_bytes()
            board.begin()
            for step in _steps(work, state, payload, board, limits):
                conn.send_bytes(step)
            if board.tired():
                return


def _steps(work: Work[S], state: S, payload: bytes, board: _Board, limits: Limits) -> Iterator[bytes]:
    """One unit as pickled messages. Pickling is done in here, so that its failures are the unit's too."""
    try:
        partials = work(state, pickle.loads(payload), board.watch)  # noqa: S301 - from the coordinator
        while True:
            try:
                partial = next(partials)
            except StopIteration as end:
                yield pickle.dumps((DONE, end.value))
                return
            yield pickle.dumps((PARTIAL, partial))
    except MemoryError:
        board.tire()
        why, detail = _too_large(limits)
    except Exception as error:
        why, detail = Why.CRASHED, _place(error)
    yield pickle.dumps((FAILED, why, detail, board.culprit()))


def _place(error: Exception) -> str:
    """Name an error by class and line in this program; its message is left out because it may quote content."""
    folder = Path(__file__).parent
    name, trace = type(error).__name__, error.__traceback__
    place = ""
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.is_relative_to(folder):
            place = f" at {file.relative_to(folder.parent).as_posix()}:{trace.tb_lineno}"
        trace = trace.tb_next
    return name + place


def _settle(folder: str, scratch: str) -> None:
    """Stand where the coordinator stands, be silent, and end when it ends.

    A group of its own keeps the terminal's signals away and lets the coordinator end what a reader has started.
    Temporary files go to `scratch`, which the coordinator removes. No core is dumped: it would hold what was read.
    """
    import tempfile

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        null = os.open(os.devnull, mode)
        os.dup2(null, number)
        os.close(null)
    os.chdir(folder)
    os.environ.update(TMPDIR=scratch, TEMP=scratch, TMP=scratch)
    tempfile.tempdir = scratch
    if sys.platform != "win32":
        import resource

        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        # PR_SET_PDEATHSIG, for a reader that never lets the thread below run.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """End this process, and what it has started, as soon as the coordinator is gone."""
    from multiprocessing import connection, parent_process

    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
    _end(os.getpid())
    os._exit(1)


def _guard(size: int) -> None:
    """Make an allocation far beyond the limit fail at once, before the coordinator could see it (Linux only).

    RLIMIT_DATA and not RLIMIT_AS: mapped files and address space that is only reserved cost no memory.
    """
    if sys.platform == "linux":
        import resource

        held = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = held + size + size // 4 + 256 * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (soft if hard < 0 else min(soft, hard), hard))


# In the coordinator


def _memory(pid: int) -> int:
    """Bytes of memory that a process holds, 0 when it has gone. Pages of mapped files, which the system can take back
    at any time, are not counted where it tells them apart."""
    if sys.platform == "linux":
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
            return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
    else:
        import psutil

        with suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss)
    return 0


def _end(pid: int) -> None:
    """Kill a worker's group: what a reader has started, and the worker itself."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
    else:
        import psutil

        with suppress(psutil.Error):
            for child in psutil.Process(pid).children(recursive=True):
                child.kill()


@contextmanager
def _deaf() -> Iterator[None]:
    """What is started meanwhile ignores Ctrl-C from its first instruction, and not only once it has settled."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Worker:
    """A process as the coordinator sees it: its pipe, the tasks it was sent, how it does, why it had to be killed."""

    def __init__(self, prepare: Callable[[], Any], work: Work[Any], limits: Limits) -> None:
        import multiprocessing
        from multiprocessing.sharedctypes import RawArray
        from tempfile import TemporaryDirectory

        # Not fork, which copies the locks of Arrow's threads without the threads; and not a fork server, which saves 40 ms
        # a start but stands between worker and coordinator, so that the kernel could not end the one with the other.
        context = multiprocessing.get_context("spawn")
        memory = RawArray("B", _Board.SIZE)
        self.scratch = TemporaryDirectory(prefix="persondata-", ignore_cleanup_errors=True)
        self.board = _Board(memory)
        self.queue: deque[Task] = deque()
        self.sent = 0
        self.finished = 0
        self.life, self.alive = 0, time.monotonic()
        self.ready = False
        self.idle_memory = 0
        self.doom: tuple[int, Why, str] | None = None
        settle = functools.partial(_settle, str(Path.cwd()), self.scratch.name)
        self.conn, theirs = context.Pipe()
        arguments = (theirs, memory, settle, prepare, work, limits)
        os.environ.setdefault(_ONE_THREAD, "1")  # read when a library is loaded, before any code of ours runs in the new process
        self.process: BaseProcess = context.Process(target=_serve, args=arguments, daemon=True)
        with _deaf():
            self.process.start()
        self.pid = self.process.pid or 0
        theirs.close()

    def kill(self) -> None:
        _end(self.pid)
        self.process.kill()

    def condemn(self, begun: int, why: Why, detail: str) -> None:
        """Kill the process for what it does in its `begun`-th unit."""
        self.doom = begun, why, detail
        self.kill()

    def leave(self) -> None:
        """See the process out, kill it when it does not go, and remove what it leaves behind."""
        self.conn.close()
        self.process.join(1.0)
        self.kill()
        self.process.join(10.0)  # and no longer: a process inside a dead network mount cannot be killed
        self.scratch.cleanup()


class _Pool:
    """The workers of one run: who is started, who gets which task, who is killed and replaced."""

    def __init__(self, supply: _Supply, work: Work[Any], prepare: Callable[[], Any], most: int, limits: Limits) -> None:
        self._supply = supply
        self._limits = limits
        self._start = functools.partial(_Worker, prepare, work, limits)
        self._most = most
        self._workers: dict[Any, _Worker] = {}
        self._fruitless = 0
        self._closed = threading.Event()
        self._monitor = threading.Thread(target=self._weigh, daemon=True)
        self._monitor.start()

    def messages(self) -> Iterator[Message]:
        from multiprocessing.connection import wait

        looked = 0.0
        while True:
            self._staff()
            if not any(worker.queue for worker in self._workers.values()) and not self._supply.has(1):
                return
            for conn in wait(list(self._workers), TICK):
                message = self._hear(self._workers[conn])
                if message is not None:
                    yield message
            if time.monotonic() - looked > TICK:
                self._check_life()
                looked = time.monotonic()

    def close(self) -> None:
        """End all workers: at once those that are busy or still preparing, the others by the end of their pipe."""
        self._closed.set()
        self._monitor.join()
        for worker in self._workers.values():
            if worker.queue or not worker.ready:
                worker.kill()
            worker.conn.close()
        for worker in self._workers.values():
            worker.leave()

    def _staff(self) -> None:
        """Keep workers busy; start one when a task waits that no worker, ready or starting, has room for."""
        for worker in self._workers.values():
            self._feed(worker)
        while len(self._workers) < self._most:
            starting = sum(not worker.ready for worker in self._workers.values())
            if not self._supply.has(starting + 1):
                return
            worker = self._start()
            self._workers[worker.conn] = worker

    def _feed(self, worker: _Worker) -> None:
        """Give a worker a task, and when all have one, a second to go on with while we are busy.

        Sending must not block: what is sent to a busy worker is small enough to lie in the pipe.
        """
        queue, waiting = worker.queue, self._supply.waiting
        while worker.ready and not worker.doom and (not queue or (len(queue) == 1 and self._all_busy())):
            if not self._supply.has(1):
                return
            payload = pickle.dumps(waiting[0].payload)
            if queue and (queue[0].size + waiting[0].size > HEAVY or worker.sent + len(payload) > ROOM):
                return
            if not queue:
                worker.alive = time.monotonic()
            worker.sent = len(payload)
            queue.append(waiting.popleft())
            with suppress(OSError):  # it has died, which the next look at its pipe will tell
                worker.conn.send_bytes(payload)

    def _all_busy(self) -> bool:
        return len(self._workers) == self._most and all(worker.queue for worker in self._workers.values())

    def _hear(self, worker: _Worker) -> Message | None:
        try:
            kind, *rest = worker.conn.recv()
        except (EOFError, OSError):
            return self._bury(worker)
        worker.alive = time.monotonic()
        if kind == REFUSED:
            raise rest[0]
        if kind == READY:
            worker.idle_memory, worker.ready = _memory(worker.pid), True
            return None
        if kind == PARTIAL:
            return _message(worker.queue[0], kind, *rest)
        task = worker.queue.popleft()
        worker.finished += 1
        self._feed(worker)
        return _message(task, kind, *rest)

    def _bury(self, worker: _Worker) -> Failed | None:
        """Take a dead worker out. Its unit has failed; what stood behind goes to others.

        A worker that was killed for one unit may have ended it and begun another, which is innocent and worked again.
        """
        del self._workers[worker.conn]
        worker.leave()
        queue, begun, doom, failed = worker.queue, worker.board.begun(), worker.doom, None
        if queue and begun > worker.finished:
            task = queue.popleft()
            if doom and doom[0] != begun:
                queue.appendleft(replace(task, attempt=task.attempt + 1))
            else:
                _, why, detail = doom or (begun, Why.CRASHED, _epitaph(worker.process.exitcode))
                failed = Failed(task.key, task.attempt, why, detail, worker.board.culprit())
        self._supply.waiting.extendleft(reversed(queue))
        self._fruitless = 0 if failed or worker.finished else self._fruitless + 1
        if self._fruitless == 3:
            ending = doom[2] if doom else _epitaph(worker.process.exitcode)
            raise PersondataError(f"no worker could start, three times: {ending}")
        return failed

    def _check_life(self) -> None:
        """Kill who is silent for too long. A worker with something to say in its pipe waits for us and is not."""
        from multiprocessing.connection import wait

        now = time.monotonic()
        for worker in self._workers.values():
            begun, life = worker.board.begun(), worker.board.life()
            if life != worker.life or (worker.ready and not worker.queue):
                worker.life, worker.alive = life, now
            seconds = self._limits.unit_seconds if worker.ready else max(self._limits.unit_seconds, START_SECONDS)
            if now - worker.alive > seconds and not worker.doom and not wait([worker.conn], 0):
                worker.condemn(begun, Why.TIMED_OUT, f"made no progress for {seconds:g} seconds")

    def _weigh(self) -> None:
        """Kill who holds too much memory; replace who holds much after its unit. A thread: the caller may be busy."""
        while not self._closed.wait(TICK):
            for worker in list(self._workers.values()):
                if not worker.ready or worker.doom:
                    continue
                begun, more = worker.board.begun(), _memory(worker.pid) - worker.idle_memory
                if more > self._limits.unit_memory:
                    worker.condemn(begun, *_too_large(self._limits))
                elif more > self._limits.unit_memory // 2:
                    worker.board.tire()


def _epitaph(code: int | None) -> str:
    if code is None:
        return "the process that read it could not be ended"
    if code < 0:
        return f"the process that read it was ended by signal {-code}"
    return f"the process that read it ended with exit code {code}"
