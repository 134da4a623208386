"""A proxy on loopback that delays what it passes on: python3 -m bench.proxy HOST PORT SECONDS

It prints the port that it listens on, and ends with its standard input.
"""

import queue
import socket
import sys
import threading
import time

CHUNK = 256 * 1024
MOST_CHUNKS = 1024                      # on their way at once


def main():
    host, port, delay = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    listener = socket.create_server(('127.0.0.1', 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener, (host, port), delay), daemon=True).start()
    sys.stdin.read()


def _accept(listener, target, delay):
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(target)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, destination in ((client, server), (server, client)):
            _Direction(source, destination, delay)


class _Direction:
    """One way of a connection: a thread that reads, and one that writes when it is time."""

    def __init__(self, source, destination, delay):
        self.source, self.destination, self.delay = source, destination, delay
        self.chunks = queue.Queue(MOST_CHUNKS)
        for target in (self._read, self._write):
            threading.Thread(target=target, daemon=True).start()

    def _read(self):
        data = b'-'
        while data:
            try:
                data = self.source.recv(CHUNK)
            except OSError:
                data = b''
            self.chunks.put((time.perf_counter() + self.delay, data))

    def _write(self):
        try:
            while True:
                due, data = self.chunks.get()
                wait = due - time.perf_counter()
                if wait > 0:
                    time.sleep(wait)
                if not data:
                    self.destination.shutdown(socket.SHUT_WR)
                    return
                self.destination.sendall(data)
        except OSError:
            self.source.close()


if __name__ == '__main__':
    main()
