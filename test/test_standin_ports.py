"""A port that is kept for a server is given to nobody else: in a network that has four of them."""

import os
import subprocess
import sys

import pytest

from support.trigger import ROOT

NETWORK = 'ip link set lo up && echo 40000 40003 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"'

KEPT = """
import socket
from support.ports import Port

kept = [Port() for _ in range(3)]
free = ({40000, 40001, 40002, 40003} - {port.number for port in kept}).pop()
with socket.create_server(('127.0.0.1', 0)) as listener:
    assert listener.getsockname()[1] == free
for attempt in (lambda: socket.create_server(('127.0.0.1', 0)), lambda: socket.create_connection(server.getsockname())):
    with socket.create_server(('127.0.0.1', free)) as server:
        try:
            attempt()
        except OSError:
            continue
        raise SystemExit('a port that is kept was given away')
with socket.create_server(('127.0.0.1', kept[0].number)):
    pass
kept.pop().close()
with socket.create_server(('127.0.0.1', 0)), socket.create_server(('127.0.0.1', 0)):
    print('as it should be')
"""


@pytest.mark.skipif(os.getuid() != 0, reason='only root can have a network of its own')
def test_a_port_that_is_kept_is_given_to_nobody():
    made = subprocess.run(['unshare', '--net', 'true'], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(made.stderr)
    finished = subprocess.run(['unshare', '--net', 'sh', '-c', NETWORK, 'sh', sys.executable, '-c', KEPT], cwd=ROOT / 'test',
                              capture_output=True, text=True, timeout=60)
    assert finished.stdout == 'as it should be\n', finished.stderr
