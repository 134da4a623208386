"""A table of verdicts, and the first difference of each that failed."""

import collections


class Report:
    def __init__(self, out=print):
        self.out = out
        self.counts = collections.defaultdict(collections.Counter)
        self.failures = []
        self.skipped = []

    def add(self, verdict):
        kind = 'applied' if verdict.wanted.ok else 'refused'
        self.counts[verdict.way]['%s by psql' % kind] += 1
        if verdict.reason is None:
            self.counts[verdict.way]['%s alike' % kind] += 1
        else:
            self.failures.append(verdict)

    def skip(self, case, reason):
        self.skipped.append((case.name, reason))

    def print(self):
        for verdict in self.failures:
            name = verdict.case + ('' if verdict.case.endswith(verdict.script) else ' ' + verdict.script)
            self.out('%-10s  %s\n    %s' % (verdict.way, name, verdict.reason))
            for line in verdict.details:
                self.out(line)
        for name, reason in self.skipped:
            self.out('%-10s  %s\n    %s' % ('skipped', name, reason))
        self.out('')
        self.out('%-12s %18s %18s %8s' % ('way', 'applied as psql', 'refused as psql', 'failed'))
        for way, count in self.counts.items():
            failed = sum(verdict.way == way for verdict in self.failures)
            self.out('%-12s %18s %18s %8d' % (
                way, '%d of %d' % (count['applied alike'], count['applied by psql']),
                '%d of %d' % (count['refused alike'], count['refused by psql']), failed))
