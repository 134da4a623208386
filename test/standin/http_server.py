"""A small HTTP/1.1 server on loopback: what every HTTP stand-in is built on.

It owns sockets and threads, and nothing else.  A subclass says what to answer.
"""

import dataclasses
import http.server
import select
import socket
import ssl
import sys
import threading
import traceback

CONNECTIONS_AT_MOST = 16
IDLE_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""
    method: str
    path: str                   # with its query, undecoded
    headers: object             # an email.message.Message: case-insensitive, may repeat
    body: bytes
    body_error: str             # why there is no whole body, or ''
    connection: socket.socket

    def client_is_there(self):
        """False once the client has closed its end."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return True
        try:
            return self.connection.recv(1, socket.MSG_PEEK) != b''
        except OSError:
            return False


@dataclasses.dataclass(frozen=True)
class Answer:
    """What goes back."""
    status: int
    body: bytes = b''
    content_type: str = 'application/json'
    headers: tuple = ()


class LoopbackServer:
    """Starts on a free port of 127.0.0.1.  `answer` runs in one thread for each connection.

    What goes wrong inside the stand-in itself is kept in `crashes`: a test that
    passes because its stand-in fell over has shown nothing.
    """

    body_at_most = 1 << 20
    tls = None                  # an ssl.SSLContext: HTTPS
    front = None                # the address of what stands before it, which clients are told instead of its own

    def __init__(self):
        self.crashes = []
        self._closing = threading.Event()
        self._connections = set()
        self._connections_lock = threading.Lock()
        self._server = None

    def answer(self, request):
        """An Answer, or None: the connection is closed without one."""
        raise NotImplementedError

    @property
    def address(self):
        return self.front or '127.0.0.1:%d' % self._server.server_address[1]

    @property
    def own_address(self):
        """(host, port), whatever stands before it."""
        return self._server.server_address

    @property
    def url(self):
        return ('https://' if self.tls else 'http://') + self.address

    def start(self):
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.01},
                         name=type(self).__name__, daemon=True).start()
        return self

    def stop(self):
        self._closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        with self._connections_lock:
            for connection in self._connections:
                _shut(connection)

    def pause(self, seconds):
        """Wait, but not beyond the server's own end."""
        self._closing.wait(seconds)

    @property
    def closing(self):
        return self._closing.is_set()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, owner):
        self.owner = owner
        self._slots = threading.BoundedSemaphore(CONNECTIONS_AT_MOST)
        super().__init__(('127.0.0.1', 0), _Handler)

    def get_request(self):
        request, client_address = super().get_request()
        if self.owner.tls:
            # The handshake is done by the connection's own thread, when it reads.
            request = self.owner.tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        return request, client_address

    def process_request(self, request, client_address):
        if not self._slots.acquire(timeout=1):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        with self.owner._connections_lock:
            self.owner._connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self.owner._connections_lock:
                self.owner._connections.discard(request)
            self._slots.release()

    def handle_error(self, request, client_address):
        gone = isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, ssl.SSLError))
        if not gone and not self.owner.closing:
            self.owner.crashes.append(traceback.format_exc())


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS

    def _serve(self):
        body, body_error = self._read_body()
        if body_error:
            self.close_connection = True
        answer = self.server.owner.answer(Request(
            self.command, self.path, self.headers, body, body_error, self.connection))
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header('Content-Type', answer.content_type)
        self.send_header('Content-Length', str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
        if body_error:
            self._linger()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve

    def _read_body(self):
        if self.headers.get('Transfer-Encoding'):
            return b'', 'Transfer-Encoding is not taken'
        lengths = self.headers.get_all('Content-Length') or []
        if not lengths:
            return b'', '' if self.command in ('GET', 'HEAD') else 'no Content-Length'
        if len(lengths) != 1 or not lengths[0].isdecimal():
            return b'', 'bad Content-Length'
        length = int(lengths[0])
        if length > self.server.owner.body_at_most:
            return b'', 'too large'
        body = self.rfile.read(length)
        return body, '' if len(body) == length else 'the body ended early'

    def _linger(self):
        """Take what is still in flight, so that the client sees the answer and no reset."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(5)
        while self.connection.recv(1 << 16):
            pass

    def log_message(self, *_):
        pass


def _shut(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
