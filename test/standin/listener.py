"""What listens on loopback, and serves each connection in a thread of its own."""

import socket
import threading


class Listener:
    """Listens on a free port of 127.0.0.1; _serve(client) is a subclass's.  A client that goes away is no error."""

    TIMEOUT = 10                        # seconds: so long a client may be silent

    def __init__(self):
        self._listener = None

    @property
    def port(self):
        return self._listener.getsockname()[1]

    def start(self):
        self._listener = socket.create_server(('127.0.0.1', 0))
        threading.Thread(target=self._accept, name=type(self).__name__, daemon=True).start()
        return self

    def stop(self):
        self._listener.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._guarded, args=(client,), daemon=True).start()

    def _guarded(self, client):
        try:
            with client:
                client.settimeout(self.TIMEOUT)
                self._serve(client)
        except (OSError, EOFError):
            pass
