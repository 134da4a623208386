"""Ports of loopback that are kept free for a server until it is there."""

import socket


class Port:
    """A port that nobody else is given, while this is not closed.

    It is bound, and nothing listens.  Linux lets another socket bind it that says SO_REUSEADDR as
    this one does, as PostgreSQL, PgBouncer and Python's servers do; but it gives the
    port to nobody who asks for any free one, nor to a connection.
    """

    def __init__(self, address='127.0.0.1'):
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((address, 0))
        self.number = self._socket.getsockname()[1]

    def close(self):
        self._socket.close()
