"""A proxy before a stand-in for HTTP, which cuts a connection at a chosen step of one exchange."""

import collections
import socket
import struct
import time

from .listener import Listener

# In the order in which they come; whatever is cut until WHOLE_REQUEST the service has never had.
BEFORE_DELIVERY = ('connect', 'request line', 'request headers', 'request body', 'whole request')
AFTER_DELIVERY = ('no answer', 'status line', 'headers', 'end of headers', 'half the body', 'last byte')
STEPS = BEFORE_DELIVERY + AFTER_DELIVERY


class Cutter(Listener):
    """Stands before `service`, whose clients are told the address of this one.

    What comes after the cuts that were asked for is passed on.
    """

    def __init__(self, service):
        super().__init__()
        self.service = service
        self.cuts = []                  # the steps at which connections were cut
        self._wanted = collections.deque()

    def start(self):
        super().start()
        self.service.front = '127.0.0.1:%d' % self.port
        return self

    def stop(self):
        self.service.front = None
        super().stop()

    def cut(self, step, how='end', times=1):
        """The next `times` connections end at this step: by an 'end', a 'reset', or in 'silence', which lasts."""
        assert step in STEPS and how in ('end', 'reset', 'silence')
        self._wanted.extend([(step, how)] * times)

    def _serve(self, client):
        step, how = self._wanted.popleft() if self._wanted else (None, None)
        if step is None:
            self._exchange(client)
            return
        answer = b''
        if step in BEFORE_DELIVERY:
            _receive_until(client, step)
        else:
            answer = self._answered(_receive_until(client, 'whole request'))
            answer = answer[:_part(answer, step)]
        # Before what is sent lets the client go on.
        self.cuts.append(step)
        client.sendall(answer)
        if how == 'reset':
            # What was sent before is to arrive.
            time.sleep(0.05)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        elif how == 'end':
            client.shutdown(socket.SHUT_WR)
            _wait_for_end(client)
        else:
            _wait_for_end(client)

    def _exchange(self, client):
        """Request by request, as a connection may carry several."""
        while True:
            request = _receive_until(client, 'whole request')
            if not request:
                return
            client.sendall(self._answered(request))

    def _answered(self, request):
        with socket.create_connection(self.service.own_address) as server:
            server.sendall(request)
            server.settimeout(self.TIMEOUT)
            return _receive_until(server, 'whole request')


def _receive_until(connection, step):
    """What came of a message until this step of it: b'' where nothing more comes."""
    data = b''
    while not _has(data, step):
        more = connection.recv(1 << 16)
        if not more:
            break
        data += more
    return data


def _has(data, step):
    head, separator, body = data.partition(b'\r\n\r\n')
    if step in ('connect', 'request line', 'request headers'):
        return len(data) >= {'connect': 0, 'request line': 1, 'request headers': 40}[step]
    if step == 'request body':
        return separator != b''
    return separator != b'' and len(body) >= _content_length(head)


def _content_length(head):
    for line in head.split(b'\r\n')[1:]:
        name, _, value = line.partition(b':')
        if name.lower() == b'content-length':
            return int(value)
    return 0


def _part(answer, step):
    """How much of the answer has come at a step."""
    head = answer.index(b'\r\n\r\n') + 4
    return {'no answer': 0, 'status line': answer.index(b'\r\n') + 2, 'headers': head - 20, 'end of headers': head,
            'half the body': head + (len(answer) - head) // 2, 'last byte': len(answer) - 1}[step]


def _wait_for_end(client):
    """Until the client has closed its end too, or its patience is at an end."""
    client.settimeout(30)
    while client.recv(1 << 16):
        pass
