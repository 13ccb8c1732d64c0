"""A file far away as a stream: the blocks that are asked for are fetched, the next ones ahead, few are kept."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

BLOCK = 2**18
"""Bytes fetched for a look at one place."""
WINDOW = 2**23
"""The most bytes fetched at once, reached by reading on and on."""
KEPT = 2**24
"""Bytes kept of what was fetched, at most, beside the block being read and the one ahead."""


class Ranged(io.RawIOBase):
    """`size` bytes that `fetch(start, end)` gives. `beat` is called for each block that has come.

    Wrap it in a `BufferedReader`: a read ends where a block ends. What `fetch` raises is raised by every later read.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int, beat: Callable[[], None], head: bytes = b"") -> None:
        self._fetch, self._size, self._beat = fetch, size, beat
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._next, self._window = len(head), BLOCK
        self._ahead: tuple[int, int, Future[bytes]] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self.failed: Exception | None = None
        if head:
            self._blocks[0] = head

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; nothing is fetched yet."""
        at = offset + (0, self._at, self._size)[whence]
        if at < 0:
            raise ValueError("negative seek position")
        self._at = at
        return at

    def readinto(self, buffer: object) -> int:
        """Fill a buffer as far as the block at hand goes."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if self._at >= self._size or not view:
            return 0
        start, block = self._block(len(view))
        part = memoryview(block)[self._at - start : self._at - start + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        """Wait for what is under way, and forget everything."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
            self._thread = None
        self._ahead = None
        self._blocks.clear()
        super().close()

    def _block(self, wanted: int) -> tuple[int, bytes]:
        """The block with the byte that is to be read next, and where it starts."""
        for start, block in reversed(self._blocks.items()):
            if start <= self._at < start + len(block):
                self._blocks.move_to_end(start)
                return start, block
        if self.failed is not None:
            raise self.failed
        try:
            start, block = self._fetched(wanted)
        except Exception as error:
            self.failed = error
            raise
        self._beat()
        self._keep(start, block)
        return start, block

    def _fetched(self, wanted: int) -> tuple[int, bytes]:
        ahead, self._ahead = self._ahead, None
        data = ahead[2].result() if ahead else b""  # one request at a time, wanted or not
        if ahead and ahead[0] <= self._at < ahead[1]:
            start = ahead[0]
        else:
            if ahead:
                self._keep(ahead[0], data)
            on = self._at == self._next
            self._window = min(self._window * 2, WINDOW) if on else BLOCK
            start = self._at if on else self._at - self._at % BLOCK
            end = min(max(start + self._window, min(self._at + wanted, start + WINDOW)), self._size)
            data = self._fetch(start, end)
        self._next = start + len(data)
        if len(data) >= WINDOW and self._next < self._size:
            self._thread = self._thread or ThreadPoolExecutor(1, "read-ahead")
            end = min(self._next + WINDOW, self._size)
            self._ahead = (self._next, end, self._thread.submit(self._fetch, self._next, end))
            self._window = WINDOW
        return start, data

    def _keep(self, start: int, block: bytes) -> None:
        self._blocks[start] = block
        held = sum(map(len, self._blocks.values()))
        while held > KEPT and len(self._blocks) > 1:
            held -= len(self._blocks.popitem(last=False)[1])
