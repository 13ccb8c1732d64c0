"""A unit that hangs, crashes or eats memory costs that unit and nothing else; and nobody stays behind."""

import ctypes
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from scanner.errors import PersondataError, RuleError
from scanner.model import Limits, Why
from scanner.workers import CULPRIT, Done, Failed, Partial, Task, run

LIMITS = Limits(unit_seconds=20, unit_memory=128 * 2**20)
SECRET = "Anna Testesen"
MEMBER = "a.zip!bæ\udce6.eml"
unix = pytest.mark.skipif(sys.platform == "win32", reason="signals and groups")


def nothing() -> str:
    return "state"


def refuse() -> None:
    raise RuleError("rules/x.yaml: rule a.b: no examples")


def stumble() -> None:
    raise ValueError(SECRET)


def die() -> None:
    os._exit(7)


def act(state, payload, watch):
    """What a payload asks for: a list of steps, each a name and an argument."""
    for name, argument in payload:
        if name == "yield":
            yield argument
        elif name == "watch":
            watch(argument)
        elif name == "pid":
            yield os.getpid()
        elif name == "sleep":
            time.sleep(argument)
        elif name == "start":
            yield subprocess.Popen(["sleep", "60"]).pid
        elif name == "exit":
            os._exit(argument)
        elif name == "signal":
            os.kill(os.getpid(), argument)
        elif name == "segfault":
            ctypes.string_at(0)
        elif name == "hang":
            ctypes.PyDLL(None).sleep(60)  # holds the GIL
        elif name == "raise":
            raise ValueError(argument)
        elif name == "take":
            bytearray(argument)[:] = b"x" * argument
        elif name == "hold":
            kept = b"x" * argument
            time.sleep(0.25)
            del kept
        elif name == "grow":
            kept = [bytearray(b"x" * 2**20) for _ in range(argument) if not watch(MEMBER)]
            del kept
        elif name == "map":
            shared = mmap.mmap(-1, argument)
            for start in range(0, argument, 2**20):
                shared[start] = 1
                shared[start : start + 2**20] = b"x" * 2**20
                watch(MEMBER)
        elif name == "print":
            os.write(1, argument.encode())
            os.write(2, argument.encode())
        elif name == "generator":
            yield act(state, [], watch)
        elif name == "temporary":
            yield tempfile.mkstemp()[1]
    return state


def echo(state, payload, watch):
    return payload
    yield


def where(state, payload, watch):
    yield str(Path.cwd()), os.environ.get("PERSONDATA_TEST")


def play(*payloads, workers=1, limits=LIMITS, prepare=nothing, **more):
    """Everything that is said about these payloads, as (messages, answers by key)."""
    tasks = [Task(key, payload) for key, payload in enumerate(payloads)]
    messages = list(run(tasks, act, prepare=prepare, workers=workers, limits=limits, **more))
    ends = [message for message in messages if not isinstance(message, Partial)]
    assert len({end.key for end in ends}) == len(tasks)
    return messages, {end.key: end for end in ends}


@pytest.fixture(autouse=True)
def nobody_stays():
    before, threads = set(psutil.Process().children()), threading.active_count()  # servers of other tests
    yield
    children = set(psutil.Process().children()) - before
    left = [" ".join(child.cmdline()) for child in children if child.status() != psutil.STATUS_ZOMBIE]
    assert all("resource_tracker" in command for command in left)  # multiprocessing's own, one for the session
    assert threading.active_count() == threads


@pytest.mark.parametrize("workers", [None, 0, 1, 3])
def test_every_unit_is_worked_and_its_parts_come_in_order(workers):
    payloads = [[("yield", (key, part)) for part in range(key % 4)] for key in range(50)]
    messages, ends = play(*payloads, workers=workers)
    assert all(end == Done(key, 1, "state") for key, end in ends.items())
    parts = [message.payload for message in messages if isinstance(message, Partial)]
    assert sorted(parts) == [(key, part) for key in range(50) for part in range(key % 4)]
    for key in range(50):
        assert [part for at, part in parts if at == key] == list(range(key % 4))
        assert [m for m in messages if m.key == key][-1] == ends[key]


def test_nothing_to_do_starts_nothing():
    code = (
        "import sys; from scanner.workers import run; from scanner.model import Limits;"
        "assert list(run([], print, prepare=print, workers=2, limits=Limits())) == [];"
        "assert not {'multiprocessing', 'psutil', 'ctypes', 'tempfile', 'subprocess'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)


def test_tasks_are_pulled_as_there_is_room():
    pulled = 0

    def tasks():
        nonlocal pulled
        for key in range(10**9):
            pulled += 1
            yield Task(key, [("sleep", 0.02)])

    with closing(run(tasks(), act, prepare=nothing, workers=2, limits=LIMITS)) as messages:
        for _ in range(10):
            next(messages)
    assert 10 <= pulled <= 10 + 2 * 3


def test_large_units_do_not_wait_behind_each_other():
    tasks = [Task(key, [("sleep", 0.02 if key else 1.0)], size=2**30) for key in range(6)]
    messages = list(run(tasks, act, prepare=nothing, workers=2, limits=LIMITS))
    assert [message.key for message in messages][-1] == 0


DEATHS = [
    ([("exit", 3)], Why.CRASHED, "the process that read it ended with exit code 3"),
    ([("signal", signal.SIGKILL)], Why.CRASHED, "the process that read it was ended by signal 9"),
    ([("segfault", 0)], Why.CRASHED, "the process that read it was ended by signal 11"),
    ([("hang", 0)], Why.TIMED_OUT, "made no progress for 1 seconds"),
    ([("take", 8 * 2**30)], Why.TOO_LARGE, "needed more than 128 MB of memory"),
    ([("grow", 1000)], Why.TOO_LARGE, "needed more than 128 MB of memory"),
    ([("map", 2**30)], Why.TOO_LARGE, "needed more than 128 MB of memory"),
]


@unix
def test_a_death_costs_its_unit_only_and_names_the_culprit():
    fine = [("yield", 1)]
    payloads = []
    for death, _, _ in DEATHS:
        payloads += [fine, [("watch", "a.zip"), ("yield", 1), ("watch", MEMBER), *death], fine, fine]
    limits = Limits(unit_seconds=1, unit_memory=128 * 2**20)
    free = psutil.virtual_memory().available
    lowest = [free]
    over = threading.Event()

    def look():
        while not over.wait(0.02):
            lowest[0] = min(lowest[0], psutil.virtual_memory().available)

    looker = threading.Thread(target=look)
    looker.start()
    messages, ends = play(*payloads, workers=2, limits=limits)
    over.set()
    looker.join()
    for number, (_, why, detail) in enumerate(DEATHS):
        assert ends[4 * number + 1] == Failed(4 * number + 1, 1, why, detail, MEMBER)
    assert sum(isinstance(end, Failed) for end in ends.values()) == len(DEATHS)
    for key, end in ends.items():
        parts = [message.attempt for message in messages if message.key == key and isinstance(message, Partial)]
        assert parts[-1:] == [end.attempt]
    assert free - lowest[0] < 2 * 2**30


@unix
def test_a_worker_killed_from_outside_is_replaced():
    messages = []
    with closing(run((Task(n, [("pid", 0), ("sleep", 0.2)]) for n in range(4)), act, prepare=nothing, workers=1, limits=LIMITS)) as got:
        for message in got:
            messages.append(message)
            if message.key == 1 and isinstance(message, Partial):
                threading.Timer(0.05, os.kill, (message.payload, signal.SIGKILL)).start()
    failed = [message for message in messages if isinstance(message, Failed)]
    assert failed == [Failed(1, 1, Why.CRASHED, "the process that read it was ended by signal 9", "")]
    assert sum(isinstance(message, Done) for message in messages) == 3


@unix
def test_what_stands_behind_a_death_is_handed_on():
    deaths = set(range(500, 2000, 500))
    tasks = (Task(key, [("exit", 1)] if key in deaths else [("pid", 0)]) for key in range(2000))
    messages = list(run(tasks, act, prepare=nothing, workers=2, limits=LIMITS))
    assert {message.key for message in messages if isinstance(message, Failed)} == deaths
    assert sorted(m.key for m in messages if isinstance(m, Done)) == sorted(set(range(2000)) - deaths)
    assert len({message.payload for message in messages if isinstance(message, Partial)}) > len(deaths)


def test_a_worker_that_has_grown_is_replaced_after_its_unit():
    tasks = [Task(key, [("pid", 0), ("hold", 80 * 2**20)]) for key in range(2)]
    messages = list(run(tasks, act, prepare=nothing, workers=1, limits=LIMITS))
    assert sum(isinstance(message, Done) for message in messages) == 2
    assert len({message.payload for message in messages if isinstance(message, Partial)}) == 2


def test_slow_is_not_silent():
    steps = [("sleep", 0.4), ("watch", "x"), ("sleep", 0.4), ("yield", 1), ("sleep", 0.4)]
    _, ends = play(steps, limits=Limits(unit_seconds=0.7))
    assert isinstance(ends[0], Done)


def test_a_worker_that_waits_for_us_is_neither_silent_nor_unbounded():
    steps = [("yield", b"x" * 2**20)] * 64
    with closing(run([Task(0, steps)], act, prepare=nothing, workers=1, limits=Limits(unit_seconds=0.2))) as messages:
        next(messages)
        before = psutil.Process().memory_info().rss
        time.sleep(0.6)
        assert psutil.Process().memory_info().rss - before < 16 * 2**20
        rest = list(messages)
    assert len(rest) == 64 and isinstance(rest[-1], Done)


def test_a_failed_unit_can_be_tried_again():
    again: deque[Task] = deque()
    seen = []
    for message in run([Task(5, [("exit", 1)])], act, prepare=nothing, workers=2, limits=LIMITS, again=again):
        seen.append(type(message))
        if isinstance(message, Failed):
            again.append(Task(5, [], attempt=2))
    assert seen == [Failed, Done] and message == Done(5, 2, "state")


def test_an_exception_is_named_without_its_words():
    _, ends = play([("raise", SECRET)], [("generator", 0)], [("watch", "x" * 9999), ("raise", SECRET)])
    assert ends[0].why is Why.CRASHED
    assert ends[0].detail.startswith("ValueError at scanner/workers.py:")
    assert ends[1].why is Why.CRASHED
    assert ends[2].culprit == "x" * CULPRIT
    assert SECRET not in repr(ends)


@pytest.mark.parametrize("workers", [None, 2])
def test_what_prepare_refuses_is_raised(workers):
    with pytest.raises(RuleError, match=r"^rules/x.yaml: rule a.b: no examples$"):
        play([], [], [], prepare=refuse, workers=workers)


def test_workers_that_cannot_start_end_the_run():
    with pytest.raises(PersondataError, match=r"three times: .* exit code 7") as death:
        play([], [], [], prepare=die)
    with pytest.raises(PersondataError, match="could not start: ValueError") as fault:
        play([], prepare=stumble)
    assert SECRET not in repr((death.value, fault.value))


def test_a_worker_speaks_only_through_its_pipe_and_leaves_nothing(capfd, monkeypatch, tmp_path):
    messages, ends = play([("print", SECRET), ("temporary", 0), ("exit", 1)])
    assert capfd.readouterr() == ("", "")
    assert isinstance(ends[0], Failed)
    assert not Path(messages[0].payload).parent.exists()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERSONDATA_TEST", "here")
    [message, _] = run([Task(0, None)], where, prepare=nothing, workers=1, limits=LIMITS)
    assert message.payload == (str(tmp_path), "here")


@unix
def test_what_a_reader_has_started_ends_with_it():
    messages, _ = play([("start", 0), ("hang", 0)], limits=Limits(unit_seconds=0.3))
    assert gone([messages[0].payload], 1)


def gone(pids, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):
            return True
        time.sleep(0.02)
    return False


SCRIPT = """
import signal, sys
from scanner.model import Limits
from scanner.workers import Task, run
from test_workers import act, nothing
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would its children
    steps = [("pid", 0), (sys.argv[1], 60)]
    for message in run([Task(0, steps), Task(1, steps)], act, prepare=nothing, workers=2, limits=Limits()):
        print(message.payload, flush=True)
"""


@unix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("busy", ["sleep", "hang"])
def test_no_worker_outlives_the_coordinator(tmp_path, number, busy):
    here = Path(__file__).parent
    (tmp_path / "script.py").write_text(SCRIPT)
    script = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", busy],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{here.parent}:{here}", "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    pids = [int(script.stdout.readline()) for _ in range(2)]
    pids += [child.pid for child in psutil.Process(script.pid).children(recursive=True)]
    os.killpg(script.pid, number) if number == signal.SIGINT else script.send_signal(number)
    try:
        assert gone([script.pid, *pids], 30)
    finally:
        script.kill()
        _, said = script.communicate()
    assert said.count("Traceback") == (number == signal.SIGINT)


def test_units_a_second():
    started = time.perf_counter()
    messages = run((Task(n, n) for n in range(20_000)), echo, prepare=nothing, workers=2, limits=LIMITS)
    first = next(messages)
    begun = time.perf_counter()
    rest = sum(1 for _ in messages)
    took = time.perf_counter() - begun
    print(f"{rest / took:,.0f} units a second; first after {begun - started:.3f} s ({first})")
    assert rest == 19_999
