"""The command: python3 -m corpus [--way WAY] [--only PART] DIRECTORY"""

import argparse
import os
import sys

from support import Server

from . import Report, Runner, find
from .runner import CannotPrepare
from .ways import WAYS


def main():
    parser = argparse.ArgumentParser(prog='corpus', description='Applies the scripts of a directory by psql and by '
                                     'rdsinit, and compares.  Ends with 1 where they differ.')
    parser.add_argument('directory', nargs='?', default=os.environ.get('RDSINIT_CORPUS'),
                        help='of *.sql files, perhaps with an INDEX.tsv; default: $RDSINIT_CORPUS')
    parser.add_argument('--way', action='append', choices=WAYS, help='this one alone; may be given again')
    parser.add_argument('--only', default='', metavar='PART', help='scripts whose names contain this')
    parser.add_argument('--quiet', action='store_true', help='no line for each script')
    arguments = parser.parse_args()
    if not arguments.directory:
        parser.error('which directory? (or set RDSINIT_CORPUS)')

    server = Server(os.environ['PGHOST'], int(os.environ['PGPORT']), os.environ['PGUSER'], os.environ['PGPASSWORD'])
    report = Report()
    runner = Runner(server, arguments.way)
    cases = find(arguments.directory, arguments.only)
    if not cases:
        sys.exit('no scripts in %s' % arguments.directory)
    for case in cases:
        if not arguments.quiet:
            print(case.name, flush=True)
        try:
            for verdict in runner.run(case):
                report.add(verdict)
        except CannotPrepare as error:
            report.skip(case, str(error))
    print()
    report.print()
    sys.exit(1 if report.failures else 0)


if __name__ == '__main__':
    main()
