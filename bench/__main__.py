"""The command: ./dev bench [--quick] [--size BYTES] [--rounds N] [--only PART]"""

import argparse
import datetime
import os
import pathlib
import sys
import tempfile

from . import look, scripts, start_table, table
from .measure import Bench
from .start import Start


def main():
    parser = argparse.ArgumentParser(prog='./dev bench', description='Measures rdsinit against psql and others.')
    parser.add_argument('--quick', action='store_true', help='small scripts, for a first look: under a minute')
    parser.add_argument('--size', type=float, metavar='BYTES', help='of the COPY data; default: 1e9')
    parser.add_argument('--rounds', type=int, help='instead of 2 to 7')
    parser.add_argument('--part', action='append', choices=('direct', 'proxy', 'memory', 'look', 'start'), help='this one alone; may be given again')
    parser.add_argument('--proxied', type=int, default=1_000_000, metavar='N',
                        help='through the proxy only scripts of at most so many statements: psql takes 2 ms for each')
    parser.add_argument('--only', default='', metavar='PART', help='scripts whose titles contain this')
    arguments = parser.parse_args()

    # Encryption would be measured, too: for those that do it by default.
    os.environ['PGSSLMODE'] = 'disable'
    with tempfile.TemporaryDirectory(prefix='rdsinit-bench-') as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)          # the server reads the files as well
        if 'start' in (arguments.part or ['start']):
            start = Start(_say)
            start.run(arguments.rounds or (5 if arguments.quick else 21))
            start_table.print_all(start)
            if arguments.part == ['start']:
                return
        chosen = [script for script in _scripts(directory, arguments) if arguments.only in script.title]
        if not chosen:
            parser.error('no script of that title')
        bench = Bench(os.environ['PGHOST'], int(os.environ['PGPORT']), _say)
        for part, measure, of in [('direct', bench.run, chosen), ('memory', bench.run_memory, chosen),
                                  ('proxy', bench.run_through_proxy, _proxied(chosen, arguments))]:
            for script in of if part in (arguments.part or [part]) else []:
                measure(script)
        looked = None
        if 'look' in (arguments.part or ['look']):
            looked = look.run(bench, [script for script in chosen if 'DDL' in script.title and script.statements <= 10_000], arguments.rounds or 3)
        version = bench.admin.execute(b'SHOW server_version')[0][0].decode().split()[0]
        print('%s; %s.' % (datetime.date.today().isoformat(), table.machine(version)))
        if arguments.part != ['look']:
            table.print_all(bench, chosen)
        if looked:
            look.print_all(*looked)


def _say(line):
    print(line, file=sys.stderr, flush=True)


def _proxied(chosen, arguments):
    return chosen[:1] if arguments.quick else [each for each in chosen if each.statements <= arguments.proxied]


def _scripts(directory, arguments):
    if arguments.quick:
        wanted = [(scripts.ddl, 1_000, 3), (scripts.ddl, 5_000, 2), (scripts.inserts, 20_000, 3),
                  (scripts.copy, int(arguments.size or 50e6), 2)]
    else:
        wanted = [(scripts.ddl, 1_000, 7), (scripts.ddl, 10_000, 3), (scripts.ddl, 100_000, 2),
                  (scripts.inserts, 100_000, 5), (scripts.copy, int(arguments.size or 1e9), 2)]
    for make, count, rounds in wanted:
        yield make(directory, count, arguments.rounds or rounds)


if __name__ == '__main__':
    main()
