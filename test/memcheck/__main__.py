"""./dev memcheck and ./dev sanitize-extension: the tests, and what was found meanwhile.

    python3 -m memcheck valgrind|sanitizers PLACE SOURCE [--short] [TEST …]

PLACE is where the extension was built, SOURCE the server's source.  A test that gives something else
than it should is said, as are findings in the server itself; a finding of ours ends with 1, and so does
a process that dies.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

from .findings import findings
from .watched import Watched

# Those that reach most of the code in the shortest time.
SHORT = ['apply', 'psql', 'copy', 'undo', 'guard', 'drift', 'ensure']

# They say what takes long, which under valgrind, thirty times as slow, is another thing: there they may differ.
TIMED = ['plan', 'timeouts']

DIED = re.compile(r'was terminated by signal|exited with exit code [^01]|runtime error: |TRAP: |detected write past chunk end|PANIC: ')


def main(how, place, source, *names):
    place, source = pathlib.Path(place), pathlib.Path(source)
    cluster = Watched(how, place, source)
    try:
        cluster.initialize().start()
        began = time.monotonic()
        different = run(cluster, place, names)
        took = time.monotonic() - began
    finally:
        if cluster.directory:
            cluster.stop()
    ours, others = findings(cluster.reports, how)
    died = [line for line in cluster.log().splitlines() if DIED.search(line)]
    cluster.remove()

    for title, texts in (('OURS', ours), ("the server's own", others)):
        for text in texts:
            print('--- %s\n%s' % (title, text))
    for line in died:
        print('--- in the log: ' + line)
    print('%s: %d s; %d findings of ours, %d of the server; %d processes died; tests with another output: %s' % (
        how, took, len(ours), len(others), len(died), ', '.join(different) or 'none'))
    unexcused = [name for name in different if how != 'valgrind' or name not in TIMED]
    return 1 if ours or died or unexcused else 0


def run(cluster, place, names):
    """Runs the tests; the names of those whose output is another one."""
    chosen = []
    if names:
        chosen = ['REGRESS=install ' + ' '.join(SHORT if names[0] == '--short' else names), 'ISOLATION=']
    server = cluster.server
    finished = subprocess.run(
        ['make', '--silent', '--keep-going', 'installcheck', 'with_llvm=no', 'PG_CONFIG=' + os.environ['PG_CONFIG'], *chosen],
        cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
        env={**os.environ, 'PGHOST': server.host, 'PGPORT': str(server.port), 'PGUSER': server.user,
             'PGPASSWORD': server.password, 'PG_TEST_TIMEOUT_DEFAULT': '1800', 'PGISOLATIONTIMEOUT': '1800'}, check=False)
    print(finished.stdout, flush=True)
    different = re.findall(r'^(?:not ok \d+ +[-+] (\w+)|test (\w+) +\.\.\. FAILED)', finished.stdout, re.MULTILINE)
    if finished.returncode != 0 and not different:
        raise RuntimeError('the tests could not be run; the log ends with:\n' + cluster.log()[-2000:])
    for name in ('regression.diffs', 'output_iso/regression.diffs'):
        if (place / name).exists():
            print((place / name).read_text(errors='replace'))
    return [old or new for new, old in different]


sys.exit(main(*sys.argv[1:]))
