"""A name server on loopback: a few names and their addresses, by UDP."""

import ipaddress
import random
import socket
import struct
import threading

A, IN = 1, 1
NO_ERROR, FORMAT_ERROR, NAME_ERROR = 0, 1, 3


class NameServer:
    """Answers for the names of `addresses` ({name: IPv4 address}); any other does not exist.

    resolv.conf has no place for a port, so this is port 53, for which one has to be root, of
    an address below 127.0.0.0/8 that nobody else has.
    """

    def __init__(self, addresses):
        self.addresses = {name.lower(): ipaddress.IPv4Address(address).packed for name, address in addresses.items()}
        self.questions = []             # (name, type)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.address = None

    def __enter__(self):
        self.address = '127.53.%d.%d' % (random.randrange(256), random.randrange(1, 255))
        self._socket.bind((self.address, 53))
        self._thread.start()
        return self

    def __exit__(self, *_):
        # Who waits in recvfrom is not woken by close: an empty datagram does it.
        self._closing.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b'', (self.address, 53))
        self._thread.join(5)
        self._socket.close()

    def _serve(self):
        while True:
            message, client = self._socket.recvfrom(4096)
            if self._closing.is_set():
                return
            if len(message) >= 12:
                self._socket.sendto(self._answer(message), client)

    def _answer(self, message):
        identity, flags, questions = struct.unpack('>HHH', message[:6])
        reply = 0x8180 | (flags & 0x0100)
        try:
            name, end = _name(message)
            kind, class_ = struct.unpack('>HH', message[end:end + 4])
        except (IndexError, struct.error, UnicodeDecodeError):
            questions = 0
        if questions != 1:
            return struct.pack('>HHHHHH', identity, reply | FORMAT_ERROR, 0, 0, 0, 0)
        self.questions.append((name, kind))
        question = message[12:end + 4]
        address = self.addresses.get(name)
        if address is None:
            return struct.pack('>HHHHHH', identity, reply | NAME_ERROR, 1, 0, 0, 0) + question
        if (kind, class_) != (A, IN):
            return struct.pack('>HHHHHH', identity, reply | NO_ERROR, 1, 0, 0, 0) + question
        record = struct.pack('>HHHIH', 0xc00c, A, IN, 60, len(address)) + address
        return struct.pack('>HHHHHH', identity, reply | NO_ERROR, 1, 1, 0, 0) + question + record


def _name(message):
    """The question's name in lower case, and where it ends."""
    labels, at = [], 12
    while message[at]:
        length = message[at]
        labels.append(message[at + 1:at + 1 + length].decode('ascii').lower())
        at += 1 + length
    return '.'.join(labels), at + 1
