"""./dev faults: breaks calls off at random moments, and looks at what is left.

    python3 -m faults [--rounds N] [--seed S] [KIND …]

KIND is a part of a kind's name; without one all are done.  Prints a table; ends with 1 where anything was lost.
"""

import argparse
import signal
import sys
import time

from . import crowd, kinds, scarce, takeover

KINDS = {**kinds.KINDS, **scarce.KINDS, **takeover.KINDS, **crowd.KINDS}

HEAD = '| | tried | ended before it | nothing done | a part | half a statement, said so | all done | survived | lost |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|'


def row(tally):
    return '| %s | %d | %d | %d | %d | %d | %d | %d | %d |' % (
        tally.kind, tally.tried, tally.unhurt, *(tally.came_to[how] for how in ('none', 'part', 'half', 'all')),
        tally.survived, len(tally.lost))


def main():
    parser = argparse.ArgumentParser(prog='./dev faults')
    parser.add_argument('--rounds', type=int, default=200, help='of each kind (default: 200)')
    parser.add_argument('--seed', default='1')
    parser.add_argument('kinds', nargs='*', metavar='KIND', help='a part of its name: ' + '; '.join(KINDS))
    arguments = parser.parse_args()
    # So that no server stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = [name for name in KINDS if not arguments.kinds or any(part in name for part in arguments.kinds)]
    if not chosen:
        parser.error('no kind is called that: ' + '; '.join(KINDS))
    tallies = []
    for name in chosen:
        began = time.monotonic()
        tallies.append(KINDS[name](name, arguments.rounds, arguments.seed))
        print('%s (%d s)' % (row(tallies[-1]), time.monotonic() - began), flush=True)
    print('\n'.join(['', HEAD, *map(row, tallies)]))
    return 1 if any(tally.lost for tally in tallies) else 0


if __name__ == '__main__':
    sys.exit(main())
