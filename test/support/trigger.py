"""The trigger's process, started as Lambda starts it."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from standin import RuntimeApi

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def program():
    """The trigger that is tested."""
    return pathlib.Path(os.environ.get('RDSINIT_BOOTSTRAP') or ROOT / 'trigger' / 'bootstrap')


def reports():
    """Where the trigger leaves reports when it is built to (./dev sanitize), or None."""
    directory = os.environ.get('RDSINIT_REPORTS')
    return pathlib.Path(directory) if directory else None


def lambda_environment(task, address):
    """What Lambda itself puts into the environment of a custom runtime, credentials apart."""
    return {
        'AWS_LAMBDA_FUNCTION_MEMORY_SIZE': '128',
        'AWS_LAMBDA_FUNCTION_NAME': 'rdsinit',
        'AWS_LAMBDA_FUNCTION_VERSION': '$LATEST',
        'AWS_LAMBDA_INITIALIZATION_TYPE': 'on-demand',
        'AWS_LAMBDA_LOG_GROUP_NAME': '/aws/lambda/rdsinit',
        'AWS_LAMBDA_LOG_STREAM_NAME': '2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef',
        'AWS_LAMBDA_RUNTIME_API': address,
        'LAMBDA_RUNTIME_DIR': '/var/runtime',
        'LAMBDA_TASK_ROOT': str(task),
        'LANG': 'en_US.UTF-8',
        'LD_LIBRARY_PATH': '/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib',
        'PATH': '/usr/local/bin:/usr/bin/:/bin:/opt/bin',
        'TZ': ':UTC',
        '_HANDLER': 'bootstrap',
    }


def pack(bundle, directory, ca=None):
    """The program, its bundle and perhaps CA certificates in a task directory.

    A string (or bytes) is schema.sql, a dict the files of schema/, None no bundle at all.
    `ca` is ca.pem, or files by their names.
    """
    shutil.copy2(program(), directory / 'bootstrap')
    if isinstance(bundle, dict):
        write_bundle(bundle, directory / 'schema')
    elif bundle is not None:
        (directory / 'schema.sql').write_bytes(_bytes(bundle))
    for name, pem in (ca if isinstance(ca, dict) else {'ca.pem': ca} if ca is not None else {}).items():
        (directory / name).write_text(pem)


def write_bundle(files, directory):
    for name, body in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_bytes(body))


def _bytes(body):
    return body if isinstance(body, bytes) else body.encode()


def _present(variables):
    return {name: str(value) for name, value in variables.items() if value is not None}


class Trigger:
    """One execution environment: a process, its task directory and its Runtime API."""

    def __init__(self, bundle, variables, ca=None):
        self.runtime = RuntimeApi()
        self.task = pathlib.Path(tempfile.mkdtemp(prefix='rdsinit-task-'))
        self.stray = []                 # lines of stderr that are no JSON, and all of stdout
        self._variables = variables
        self._lines = []
        self._changed = threading.Condition()
        self._readers = []
        self._process = None
        pack(bundle, self.task, ca)

    def start(self):
        self.runtime.start()
        # Lambda puts nothing else there; in particular nothing of ours (PGPASSWORD, proxies, HOME).
        environment = {**lambda_environment(self.task, self.runtime.address), **_present(self._variables)}
        self._process = subprocess.Popen(
            [self.task / 'bootstrap'], cwd=self.task, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='backslashreplace')
        for stream, keep in ((self._process.stderr, self._keep_log), (self._process.stdout, self._keep_stray)):
            reader = threading.Thread(target=self._read, args=(stream, keep), daemon=True)
            reader.start()
            self._readers.append(reader)
        return self

    def send(self, event=b'{}', **how):
        return self.runtime.invoke(event, **how)

    def outcome(self, invocation, timeout=30):
        """The invocation's Outcome.  A process that died instead is said so at once."""
        end = time.monotonic() + timeout
        while True:
            try:
                return self.runtime.wait(invocation, 0.2)
            except TimeoutError:
                if self._process.poll() is not None:
                    raise AssertionError('bootstrap ended with %s\n%s' % (
                        self._process.returncode, self.stderr)) from None
                if time.monotonic() > end:
                    raise AssertionError('no answer within %s s\n%s' % (timeout, self.stderr)) from None

    def invoke(self, event=b'{}', timeout=30, **how):
        """One whole invocation: queue the event, wait for its outcome."""
        return self.outcome(self.send(event, **how), timeout)

    def succeed(self, event=b'{}', **how):
        """The payload of an invocation that must succeed."""
        outcome = self.invoke(event, **how)
        assert outcome.kind == 'response', outcome.payload
        return outcome.payload

    def fail(self, event=b'{}', **how):
        """The payload of an invocation that must fail."""
        outcome = self.invoke(event, **how)
        assert outcome.kind == 'error', outcome.payload
        return outcome.payload

    def stop(self):
        """The process ended, everything that it wrote read."""
        if self._process and self._process.poll() is None:
            if reports():
                self._terminate()
            self._process.kill()
        if self._process:
            self._process.wait()
        for reader in self._readers:
            reader.join(5)
        self.runtime.stop()
        shutil.rmtree(self.task, ignore_errors=True)

    def _terminate(self):
        """Under the sanitizers, which look for leaks then: see test/sanitize/leaks.c."""
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)

    def wait_exit(self, timeout=10):
        return self._process.wait(timeout)

    @property
    def running(self):
        return self._process.poll() is None

    @property
    def pid(self):
        return self._process.pid

    @property
    def log(self):
        """The log's entries so far."""
        with self._changed:
            return [json.loads(line) for line in self._lines]

    @property
    def stderr(self):
        with self._changed:
            return ''.join(self._lines) + ''.join(self.stray)

    def wait_for_log(self, wanted, timeout=10):
        """The first entry for which `wanted` is true."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: next((entry for entry in map(json.loads, self._lines) if wanted(entry)), None), timeout)
        assert found, 'not in the log within %s s:\n%s' % (timeout, self.stderr)
        return found

    def _read(self, stream, keep):
        with stream:
            for line in stream:
                keep(line)

    def _keep_log(self, line):
        try:
            entry = isinstance(json.loads(line), dict)
        except ValueError:
            entry = False
        with self._changed:
            (self._lines if entry else self.stray).append(line)
            self._changed.notify_all()

    def _keep_stray(self, line):
        with self._changed:
            self.stray.append(line)


@dataclasses.dataclass(frozen=True)
class Once:
    """How a run by hand ended."""
    code: int
    stdout: str
    stderr: str

    @property
    def payload(self):
        return json.loads(self.stdout)

    @property
    def log(self):
        return [json.loads(line) for line in self.stderr.splitlines()]


def run_once(bundle, variables, *arguments, timeout=30):
    """`bootstrap ARGUMENTS` in a task directory, with nothing in the environment but `variables`."""
    with tempfile.TemporaryDirectory(prefix='rdsinit-task-') as name:
        task = pathlib.Path(name)
        pack(bundle, task)
        return run_in(task, variables, *arguments, timeout=timeout)


def run_in(task, variables, *arguments, timeout=30):
    """The same in a directory that was packed before: several may run at once in it."""
    finished = subprocess.run(
        ['./bootstrap', *arguments], cwd=task, env={'PATH': '/usr/bin:/bin', **_present(variables)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='backslashreplace', timeout=timeout)
    return Once(finished.returncode, finished.stdout, finished.stderr)
