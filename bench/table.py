"""What was measured, as Markdown."""

import os
import pathlib
import re

from .ways import THROUGH_PROXY, WAYS

LETTERS = {'message': '(a) one message', 'psql': '(b) psql', 'psycopg2': '(c) psycopg2', 'apply': '(d) apply',
           'apply_file': '(e) apply_file', 'fallback': '(f) fallback', 'deploy': '(g) deploy'}
NOTHING = '–'


def machine(version):
    """What kind it is; no names."""
    processors = pathlib.Path('/proc/cpuinfo').read_text(encoding='utf-8')
    model = re.search(r'model name\s*:\s*(.+)', processors)
    total = int(re.search(r'MemTotal:\s*(\d+)', pathlib.Path('/proc/meminfo').read_text(encoding='utf-8'))[1])
    return '%s, %d cores, %d GB of memory; PostgreSQL %s' % (
        model[1] if model else 'processor unknown', len(os.sched_getaffinity(0)), round(total / 1024 / 1024), version)


def print_all(bench, scripts):
    titles = [script.title for script in scripts]
    print('\nSeconds, medians:\n')
    write([''] + list(LETTERS.values()), (
        [title] + [number(bench.median(title, way), 3) for way in WAYS] for title in titles))
    print('\nOf the limit (a):\n')
    write([''] + list(LETTERS.values())[1:], (
        [script.title] + [number(bench.ratio(script.title, way, 'message'), 3) for way in list(WAYS)[1:]]
        for script in scripts if not script.has_copy))
    print('\nOf psql (b):\n')
    write([''] + [LETTERS[way] for way in WAYS if way != 'psql'], (
        [title] + [number(bench.ratio(title, way, 'psql'), 3) for way in WAYS if way != 'psql'] for title in titles))
    through = [title for title in titles if any(way + ', proxy' in bench.seconds[title] for way in THROUGH_PROXY)]
    if through:
        print('\nThrough a proxy that adds 1 ms each way: seconds, and of psql:\n')
        write([''] + [LETTERS[way] for way in THROUGH_PROXY], (
            [title] + [_both(bench.median(title, way + ', proxy'), bench.ratio(title, way + ', proxy', 'psql, proxy'))
                       for way in THROUGH_PROXY] for title in through))
    if bench.memory:
        print("\nPeak memory of the backend above an idle one's, in MB, and as a multiple of the script's size:\n")
        write(['', 'script, MB'] + [LETTERS[way] for way in ('message', 'apply', 'apply_file', 'deploy')], (
            [script.title, '%.1f' % (script.size / 1e6)] +
            [_memory(bench.memory[script.title].get(way), script.size) for way in ('message', 'apply', 'apply_file', 'deploy')]
            for script in scripts if script.title in bench.memory))
    print('\nGoals:\n')
    write(['', 'goal', 'measured', 'quickest rounds', ''], _goals(bench, scripts))
    missing = sorted({(title, way, reason) for (title, way), reason in bench.reasons.items() if 'no SQL' not in reason})
    if missing:
        print('\nNot there:\n')
        for title, way, reason in missing:
            print('- %s, %s: %s' % (title, way, reason.split('\n', 1)[0]))


def _goals(bench, scripts):
    def compare(script, way, base, most):
        return goal('%s, %s / %s' % (script.title, way, {'message': 'limit'}.get(base, base)), most,
                     bench.ratio(script.title, way, base), bench.quickest(script.title, way, base))
    for script in scripts:
        if script.has_copy:
            yield compare(script, 'apply', 'psql', 1.00)
            yield compare(script, 'deploy', 'psql', 1.00)
            yield compare(script, 'apply_file', 'psql', 1.00)
        else:
            yield compare(script, 'apply', 'message', 1.10 if 'INSERT' in script.title else 1.02)
    few, many = '10,000 DDL statements', '100,000 DDL statements'
    if few in bench.seconds and many in bench.seconds:
        for way in ('message', 'apply'):
            pair = bench.median(many, way), bench.median(few, way)
            yield goal('%s / %s, %s' % (many, few, way), 11, pair[0] / pair[1] if all(pair) else None)
    for script in scripts:
        # a backend that makes thousands of relations has them in its caches, however they are made
        if 'apply' in bench.memory[script.title] and 'DDL' not in script.title:
            yield goal("%s, apply's memory / script" % script.title, 2.5,
                        bench.memory[script.title]['apply'] / script.size)


def goal(what, most, found, quickest=None):
    verdict = NOTHING if found is None else 'met' if found <= most else '**missed**'
    return [what, '≤ %.2f' % most, number(found, 3), number(quickest, 3), verdict]


def write(head, rows):
    print('| ' + ' | '.join(head) + ' |')
    print('|---' + '|---:' * (len(head) - 1) + '|')
    for row in rows:
        print('| ' + ' | '.join(row) + ' |')


def number(value, digits):
    return NOTHING if value is None else '%.*f' % (digits, value)


def _both(seconds, ratio):
    return NOTHING if seconds is None else '%.3f (%s)' % (seconds, number(ratio, 3))


def _memory(value, size):
    return NOTHING if value is None else '%.1f (%.2f)' % (value / 1e6, value / size)
