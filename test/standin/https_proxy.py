"""An HTTPS proxy that does not go out: whatever host is asked for, a stand-in answers with that host's certificate."""

import select
import socket
import ssl
import tempfile

from .listener import Listener


class HttpsProxy(Listener):
    """Takes CONNECT; `certificate` is (certificate, key) in PEM, `target` the (host, port) of a stand-in for HTTP."""

    def __init__(self, certificate, target):
        super().__init__()
        self.target = target
        self.asked_for = []             # "host:port"
        self._unfinished = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile('w', suffix='.pem') as file:
            file.write(''.join(certificate))
            file.flush()
            self._context.load_cert_chain(file.name)

    @property
    def url(self):
        return 'http://127.0.0.1:%d' % self.port

    def close_handshakes(self, times):
        """The next `times` connections are closed within the handshake."""
        self._unfinished = times

    def _serve(self, client):
        head = b''
        while not head.endswith(b'\r\n\r\n'):
            head += client.recv(1)
        method, host, _ = head.split(b'\r\n')[0].decode().split(' ')
        if method != 'CONNECT':
            client.sendall(b'HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n')
            return
        self.asked_for.append(host)
        client.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
        if self._unfinished:
            self._unfinished -= 1
            client.recv(1 << 16)
            return
        with self._context.wrap_socket(client, server_side=True) as inside, \
                socket.create_connection(self.target) as target:
            _pump(inside, target)


def _pump(inside, target):
    while True:
        ready = [inside] if inside.pending() else select.select([inside, target], [], [], 10)[0]
        if not ready:
            return
        for source in ready:
            data = source.recv(1 << 16)
            if not data:
                return
            (target if source is inside else inside).sendall(data)
