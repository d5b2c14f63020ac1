"""Connections of every process of a gang with every other, and what is sent over them."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Client, Connection, Listener
from typing import Any

import numpy as np

Address = tuple[str, int]
_BACKLOG = 1024


class Mesh:
    """One of `size` processes, each linked with all others; arrays are sent as bytes, nothing is unpickled.

    Whoever connects must know `secret`. Nothing is encrypted: the machines are taken to share a network of their own,
    as Ray takes them to. A process that is gone ends the calls of all others with an EOFError or OSError.
    messages, sent: what this process has sent so far, the second in bytes. hosts: [size] where the processes are.
    """

    def __init__(self, host: str, rank: int, size: int, secret: bytes) -> None:
        self.rank, self.size, self._secret = rank, size, secret
        self.messages = self.sent = 0
        self.hosts = [host] * size
        self._listener = Listener((host, 0), backlog=_BACKLOG, authkey=secret)
        self._links: dict[int, Connection[Any, Any]] = {}
        self._senders = ThreadPoolExecutor(max(size - 1, 1), thread_name_prefix="mesh")

    @property
    def address(self) -> Address:
        """Where the others find this process."""
        host, port = self._listener.address[:2]
        return str(host), int(port)

    def connect(self, addresses: Sequence[Address]) -> None:
        """Link this process with the others, at their `addresses` in the order of the ranks."""
        self.hosts = [host for host, _ in addresses]
        for rank in range(self.rank):
            link = Client(addresses[rank], authkey=self._secret)
            link.send_bytes(str(self.rank).encode())
            self._links[rank] = _at_once(link)
        while len(self._links) < self.size - 1:
            link = self._listener.accept()
            self._links[int(link.recv_bytes(16))] = _at_once(link)
        self._listener.close()

    def exchange(self, outgoing: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return what each process sent here, given an array for each, all of the same type.

        The arrays come as one axis, by rank; this process's own comes back.
        """
        return self._exchange(outgoing, [True] * self.size)

    def exchange_known(self, outgoing: Sequence[np.ndarray], expected: Sequence[int]) -> list[np.ndarray]:
        """Return what `exchange` does, where `expected` [size] tells how long what comes is: 0 is not waited for."""
        return self._exchange(outgoing, [length > 0 for length in expected], skip_empty=True)

    def gather(self, values: np.ndarray) -> list[np.ndarray]:
        """Return the `values` of all processes, by rank, each of one axis."""
        return self.exchange([values] * self.size)

    def _exchange(
        self, outgoing: Sequence[np.ndarray], wanted: Sequence[bool], *, skip_empty: bool = False
    ) -> list[np.ndarray]:
        flat = [np.ascontiguousarray(values).reshape(-1) for values in outgoing]
        sending = []
        for rank, link in self._links.items():
            if len(flat[rank]) or not skip_empty:
                self.messages += 1
                self.sent += flat[rank].nbytes
                sending.append(self._senders.submit(link.send_bytes, flat[rank].view(np.uint8).data))
        received = []
        for rank in range(self.size):
            if rank == self.rank:
                received.append(flat[rank])
            elif wanted[rank]:
                received.append(np.frombuffer(self._links[rank].recv_bytes(), flat[rank].dtype))
            else:
                received.append(flat[rank][:0])
        for future in sending:
            future.result()
        return received

    def close(self) -> None:
        """End all connections."""
        for link in self._links.values():
            link.close()
        self._senders.shutdown(wait=False)


def _at_once(link: Connection[Any, Any]) -> Connection[Any, Any]:
    """Return `link` without the delay of 40 ms by which TCP gathers small messages."""
    with socket.socket(fileno=os.dup(link.fileno())) as end:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link
