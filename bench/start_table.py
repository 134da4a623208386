"""What a cold start was found to take, as Markdown."""

from .start import NAMES, PYTHON
from .table import goal, number, write

LETTERS = {'package': '(h) the package, fallback', 'package, extension': '(i) the package, extension',
           'dynamic': '(j) linked dynamically, fallback', 'python': '(k) Python: boto3, psycopg2'}
ROWS = (('next', 'exec to `/next`, ms', 1e3, 2), ('answer', 'exec to the first answer, ms', 1e3, 1),
        ('there', 'the same, where the database is there, ms', 1e3, 1),
        ('idle', 'peak memory at `/next`, MB', 1e-6, 1), ('peak', 'peak memory at the first answer, MB', 1e-6, 1))


def print_all(start):
    print('\nA cold start, medians, and as a part of what Python takes:\n')
    write([''] + [LETTERS[name] for name in NAMES], (
        [title] + [_cell(start, column, name, scale, digits) for name in NAMES] for column, title, scale, digits in ROWS))
    print('\nThe package is %.2f MB; with the same schema, Python\'s is %.2f MB, and boto3 is in Lambda\'s image.\n' % (
        start.size['package'] / 1e6, start.size[PYTHON] / 1e6))
    write(['', 'goal', 'measured', 'quickest rounds', ''], _goals(start))


def _cell(start, column, name, scale, digits):
    value = number(start.median(column, name) * scale, digits)
    return value if name == PYTHON else '%s (%s)' % (value, number(start.ratio(column, name), 3))


def _goals(start):
    yield goal('exec to `/next`, ms', 5, start.median('next', 'package') * 1e3, min(start.next['package']) * 1e3)
    for title, column, name, most in (('exec to `/next` / Python', 'next', 'package', 0.01),
                                      ('peak memory / Python', 'peak', 'package', 0.2),
                                      ('first answer, fallback / Python', 'answer', 'package', 0.1),
                                      ('first answer, extension / Python', 'answer', 'package, extension', 0.1),
                                      ('the same, database there, fallback / Python', 'there', 'package', 0.1),
                                      ('the same, database there, extension / Python', 'there', 'package, extension', 0.1)):
        values = getattr(start, column)
        yield goal(title, most, start.ratio(column, name), min(values[name]) / min(values[PYTHON]))
