"""What `./dev demo` shows: the whole main job, on a throw-away server.

Run by ./dev demo.  Ends with 1 at the first thing that is not as it should be.
"""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time

from standin import SecretsManager
from support import Database, Server, Trigger
from support.trigger import ROOT, program

WIDTH = 80
DATABASE = 'shop'
SECRET = 'prod/shop/database'
SCHEMA = ROOT / 'examples' / 'schema.sql'

# A slip of the pen at the end of a schema that begins with DROP SCHEMA.
BROKEN_TAIL = """
UPDATE your_schema.product
   SET safety_stock = avg_weekly_usage * 2,
       max_stock = safety_stok * 4;
"""


class Wrong(Exception):
    """Something is not as it should be."""


class Stage:
    """Where the story is told."""

    def __init__(self, out=sys.stdout):
        self.out = out
        self.colour = out.isatty() and 'NO_COLOR' not in os.environ and os.environ.get('TERM') != 'dumb'
        self.steps = 0

    def paint(self, code, text):
        return '\033[%sm%s\033[0m' % (code, text) if self.colour and text else text

    def print(self, text='', code=None, indent='     '):
        for line in str(text).split('\n'):
            line = cut(indent + line).rstrip()
            print(self.paint(code, line) if code else line, file=self.out, flush=True)

    def title(self, title, subtitle):
        self.print()
        self.print(title, '1', indent='  ')
        self.print(subtitle, '2', indent='  ')

    def step(self, title):
        self.steps += 1
        self.print()
        print('  %s %s' % (self.paint('1;36', '%d.' % self.steps), self.paint('1', title)), file=self.out)

    def say(self, text):
        self.print(textwrap.fill(' '.join(text.split()), WIDTH - 8))

    def check(self, text, true):
        mark, colour = ('✓', '32') if true else ('✗', '1;31')
        print('     %s %s' % (self.paint(colour, mark), cut(text, WIDTH - 7)), file=self.out, flush=True)
        if not true:
            raise Wrong(text)

    def log(self, entries):
        """The trigger's log, an entry a line."""
        for entry in entries:
            self.print('%-5s %s' % (entry['level'], ' '.join(entry['message'].split())), '2', indent='     │ ')

    def json(self, value):
        self.print(json.dumps(shortened(value), indent=2, ensure_ascii=False), '36')


def cut(line, width=WIDTH):
    return line if len(line) <= width else line[:width - 1] + '…'


def shortened(value):
    """Checksums, which nobody reads to the end, by their beginning."""
    if isinstance(value, dict):
        return {key: each[:12] + '…' if key == 'checksum' else shortened(each) for key, each in value.items()}
    return [shortened(each) for each in value] if isinstance(value, list) else value


class Demo:
    def __init__(self, stage, server):
        self.stage = stage
        self.server = server
        self.database = Database(server, DATABASE)
        self.secrets = SecretsManager().start()
        self.functions = []
        self.told = 0
        self.made = False

    def run(self):
        self.stage.title('rdsinit', 'From an empty server to a schema, and what happens when one is broken.')
        self.empty_server()
        self.stand_ins()
        function = self.started(SCHEMA.read_text(encoding='utf-8'))
        self.first_invocation(function)
        self.what_is_there()
        self.second_invocation(function)
        self.broken_schema(self.guarded_data())

    def empty_server(self):
        self.stage.step('An empty server')
        version = self.server.value("SELECT split_part(version(), ' (', 1)")
        self.stage.say('%s listens on %s, port %s.' % (version, self.server.host, self.server.port))
        self.stage.check('there is no database "%s"' % DATABASE, not self.database.exists())
        self.stage.check('the server has the extension rdsinit to offer', self.server.has_extension())

    def stand_ins(self):
        self.stage.step('Stand-ins for AWS, on loopback')
        self.secrets.put(SECRET, {'username': self.server.user, 'password': self.server.password})
        self.stage.say('Secrets Manager at %s holds the secret "%s". It checks the signature of every request. '
                       'Each trigger gets a Runtime API of its own.' % (self.secrets.url, SECRET))

    def started(self, bundle):
        """The trigger, running, with the bundle beside it."""
        told = not self.functions
        function = Trigger(bundle, {
            'DB_HOST': self.server.host, 'DB_PORT': self.server.port, 'DB_NAME': DATABASE, 'DB_SECRET_NAME': SECRET,
            'DB_SSLMODE': 'prefer', **self.secrets.environment()})
        self.functions.append(function)
        function.start()
        function.runtime.wait_for_poll()
        if told:
            self.stage.step('The trigger, started as Lambda starts it')
            self.stage.say('%s (%d KB) beside schema.sql, with DB_HOST, DB_PORT, DB_NAME and DB_SECRET_NAME.'
                           % (os.path.relpath(program(), ROOT), program().stat().st_size // 1024))
            self.stage.check('it asks the Runtime API at %s for an event' % function.runtime.address, True)
        return function

    def invoked(self, function, event=None):
        """An invocation's outcome, its log told."""
        before = len(function.log)
        invocation = function.send(event or {})
        outcome = function.outcome(invocation)
        function.runtime.wait_for_poll()
        time.sleep(0.03)        # all of the log is in the pipe, and needs a moment to be read from it
        self.stage.log(function.log[before:])
        return outcome

    def first_invocation(self, function):
        self.stage.step('The first invocation')
        outcome = self.invoked(function)
        self.made = True
        self.stage.print('The response, after %.0f ms:' % (outcome.elapsed * 1000))
        self.stage.json(outcome.payload)
        payload = outcome.payload
        self.stage.check('the invocation succeeded', outcome.kind == 'response' and payload['statusCode'] == 200)
        self.stage.check('the database was created', payload['databaseCreated'] is True)
        self.stage.check('the extension applied the schema, in one transaction', payload['mode'] == 'extension' and
                         [script['outcome'] for script in payload['scripts']] == ['applied'])
        seen = self.secrets.requests
        self.stage.check('Secrets Manager found the signature right', [each.status for each in seen] == [200])

    def what_is_there(self):
        self.stage.step('What is in the database now')
        columns = self.psql('SELECT attname AS "your_schema.product", format_type(atttypid, atttypmod) AS type, '
                            "CASE WHEN attnotnull THEN 'not null' END AS null, pg_get_expr(adbin, adrelid) AS default "
                            'FROM pg_attribute LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum) '
                            "WHERE attrelid = 'your_schema.product'::regclass AND attnum > 0 ORDER BY attnum")
        self.stage.check('the table your_schema.product is there', 'safety_stock' in columns)
        history = self.psql("SELECT name, outcome, statements, rows, left(checksum, 12) || '…' AS checksum, "
                            'applied_by FROM rdsinit.history ORDER BY id')
        self.stage.check('and its history has one row', '(1 row)' in history)

    def second_invocation(self, function):
        self.stage.step('The same again')
        outcome = self.invoked(function)
        self.stage.check('nothing was run: the script is unchanged (%.0f ms)' % (outcome.elapsed * 1000),
                         outcome.kind == 'response' and
                         [script['outcome'] for script in outcome.payload['scripts']] == ['unchanged'])
        self.stage.check('the history still has one row', self.history() == 1)

    def guarded_data(self):
        self.stage.step('A schema that would lose data')
        self.stage.say('Somebody has put a product in. The next version of the schema begins by dropping everything.')
        self.database.rows("INSERT INTO your_schema.product (id, name, max_stock) VALUES ('A-1', 'Apples', 40)")
        schema = SCHEMA.read_text(encoding='utf-8') + BROKEN_TAIL
        function = self.started(schema)
        outcome = self.invoked(function)
        self.stage.check('the invocation failed, and so does the deployment', outcome.kind == 'error')
        self.point_at(schema, outcome.payload)
        self.stage.check('what holds rows is not dropped by mistake', outcome.payload.get('sqlstate') == '55000')
        return function

    def broken_schema(self, function):
        self.stage.step('A broken schema')
        self.stage.say('Now the event says {"allow_data_loss": true}. But the schema has a slip in its last statement.')
        schema = SCHEMA.read_text(encoding='utf-8') + BROKEN_TAIL
        outcome = self.invoked(function, {'allow_data_loss': True})
        self.stage.check('the invocation failed, and so does the deployment', outcome.kind == 'error')
        payload = outcome.payload
        self.point_at(schema, payload)
        self.stage.check('SQLSTATE %s, in %s, line %s, column %s, statement %s' % tuple(
            payload.get(key) for key in ('sqlstate', 'file', 'line', 'column', 'statement')),
            (payload.get('sqlstate'), payload.get('file')) == ('42703', 'schema.sql') and
            schema.split('\n')[payload['line'] - 1][payload['column'] - 1:].startswith('safety_stok'))
        self.psql('SELECT id, name, max_stock FROM your_schema.product')
        self.stage.check('the product is still there: all of it was rolled back',
                         self.database.rows('SELECT id FROM your_schema.product') == [('A-1',)])
        self.stage.check('and so is the history, as it was', self.history() == 1)

    def point_at(self, schema, payload):
        """The error and the place that it names."""
        self.stage.print()
        self.stage.print(textwrap.fill(payload['errorMessage'], WIDTH - 8), '1;31')
        if payload.get('line') and payload.get('column'):
            line = schema.split('\n')[payload['line'] - 1].replace('\t', ' ')
            margin = '%4d │ ' % payload['line']
            self.stage.print(margin + line)
            self.stage.print(' ' * (len(margin) + payload['column'] - 1) + '^', '1;31')
        if payload.get('hint'):
            self.stage.print('Hint: ' + payload['hint'], '2')
        self.stage.print()

    def history(self):
        return self.database.value('SELECT count(*) FROM rdsinit.history')

    def psql(self, query):
        """What psql shows of a query, told as it is."""
        shown = subprocess.run(['psql', '-X', '-q', '-P', 'pager=off', '-P', 'linestyle=unicode', '-d', DATABASE,
                                '-v', 'ON_ERROR_STOP=1', '-c', query],
                               capture_output=True, text=True, timeout=30,
                               env={**os.environ, 'PGCLIENTENCODING': 'UTF8', 'LC_ALL': 'C.UTF-8'})
        if shown.returncode != 0:
            raise Wrong(shown.stderr)
        self.stage.print(shown.stdout.rstrip('\n'))
        return shown.stdout

    def protocol(self):
        """What the stand-ins have to complain of."""
        return [violation for function in self.functions for violation in
                function.runtime.violations + function.runtime.crashes + function.stray] + self.secrets.crashes

    def end(self):
        for function in self.functions:
            function.stop()
        self.secrets.stop()
        if self.made:
            self.database.drop()


def main():
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(encoding='utf-8')
    missing = [name for name in ('PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD') if not os.environ.get(name)]
    if missing:
        return 'demo.py: start it by ./dev demo (%s is not set)' % ', '.join(missing)
    for needed in (program(), SCHEMA):
        if not needed.exists():
            return 'demo.py: %s is not there' % needed
    if not shutil.which('psql'):
        return 'demo.py: no psql here'
    stage = Stage()
    began = time.monotonic()
    demo = Demo(stage, Server(os.environ['PGHOST'], int(os.environ['PGPORT']),
                              os.environ['PGUSER'], os.environ['PGPASSWORD']))
    try:
        demo.run()
        stage.print()
        stage.check('all as it should be, in %.1f s' % (time.monotonic() - began), not demo.protocol())
        stage.print()
        return 0
    except (Wrong, AssertionError, TimeoutError) as wrong:
        stage.print()
        stage.print('Not as it should be: %s' % wrong, '1;31', indent='  ')
        for complaint in demo.protocol():
            stage.print(complaint, '31', indent='  ')
        return 1
    finally:
        demo.end()


if __name__ == '__main__':
    sys.exit(main())
