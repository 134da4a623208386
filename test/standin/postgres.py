"""A proxy before a real PostgreSQL server, which misbehaves as it is told.

It speaks just enough of the protocol to turn a client away at the door as a server
does that is still starting up, and to cut a connection at a chosen message.
"""

import select
import socket
import struct
import threading

from .listener import Listener

SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
CANCEL_REQUEST = 80877102


class PostgresProxy(Listener):
    """Listens on a free port of 127.0.0.1 and passes connections on to `target` (host, port).

    refusals       so many connections are first turned away with `sqlstate`
    drops          so many connections are first closed without a word
    silent         every connection is accepted, and never answered
    cut_on         the connection is cut when the client sends these bytes …
    cut_delivered  … after the server got them and answered (True), or before (False)
    watch          watch(data, port) is called before what a client sends is passed on, from a port
                   that pg_stat_activity knows; and if it gives a function, that after it
    deaf           requests to cancel are taken, and never passed on
    """

    TIMEOUT = 60

    def __init__(self, target, refusals=0, sqlstate='57P03', message='the database system is starting up',
                 drops=0, silent=False, cut_on=None, cut_delivered=True, watch=None, deaf=False):
        super().__init__()
        self.target = target
        self.refusals = refusals
        self.drops = drops
        self.silent = silent
        self.cut_on = cut_on
        self.cut_delivered = cut_delivered
        self.watch = watch
        self.deaf = deaf
        self.connections = 0            # without those that only carry a cancel request
        self.cancels = 0
        self.cuts = 0
        self._error = (b'SFATAL\0VFATAL\0C' + sqlstate.encode() + b'\0M' + message.encode()
                       + b'\0Fpostmaster.c\0L2411\0RProcessStartupPacket\0\0')
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._sockets = set()

    def stop(self):
        self._closing.set()
        with self._lock:
            for each in [self._listener, *self._sockets]:
                _shut(each)
        super().stop()

    def _guarded(self, client):
        with self._lock:
            self._sockets.add(client)
        try:
            super()._guarded(client)
        finally:
            with self._lock:
                self._sockets.discard(client)

    def _serve(self, client):
        packet = self._startup_packet(client)
        if struct.unpack('!i', packet[4:8])[0] == CANCEL_REQUEST:
            self.cancels += 1
            if self.deaf:
                self._closing.wait(60)
                return
            with socket.create_connection(self.target) as server:
                server.sendall(packet)
                server.recv(1)
            return
        with self._lock:
            self.connections += 1
            nth = self.connections
        if self.silent:
            self._closing.wait(60)
        elif nth <= self.drops:
            return
        elif nth <= self.drops + self.refusals:
            client.sendall(b'E' + struct.pack('!i', len(self._error) + 4) + self._error)
        else:
            with socket.create_connection(self.target) as server:
                server.sendall(packet)
                self._pump(client, server)

    def _startup_packet(self, client):
        """The first packet that is no offer of encryption, whole."""
        while True:
            length = _receive(client, 4)
            packet = length + _receive(client, min(struct.unpack('!i', length)[0], 10000) - 4)
            if struct.unpack('!i', packet[4:8])[0] not in (SSL_REQUEST, GSSENC_REQUEST):
                return packet
            client.sendall(b'N')

    def _pump(self, client, server):
        cutting = False
        while not self._closing.is_set():
            for source in select.select([client, server], [], [], 0.2)[0]:
                data = source.recv(1 << 16)
                if not data:
                    return
                if source is server:
                    if cutting:
                        return
                    client.sendall(data)
                    continue
                if self.cut_on and self.cut_on in data:
                    self.cuts += 1
                    if not self.cut_delivered:
                        return
                    cutting = True
                then = self.watch(data, server.getsockname()[1]) if self.watch else None
                server.sendall(data)
                if then:
                    then()


def _receive(connection, length):
    data = b''
    while len(data) < length:
        more = connection.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _shut(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
