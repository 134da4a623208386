"""The connection to the server cut at each step, once: all is done again, or the outcome is said to be unknown.

Whatever comes of it, in the end everything has been applied exactly once.
"""

import pytest

BUNDLE = {'V1__made.sql': 'CREATE TABLE made (n int); INSERT INTO made VALUES (1);',
          'V2__more.sql': 'COPY made FROM stdin;\n2\n3\n\\.\n'}
STEPS_AT_MOST = 100

# What a client sends without having waited for an answer to what was before: it comes together with that, or by itself.
AT_NO_TIME_OF_ITS_OWN = (b'X', b'c')        # Terminate, CopyDone


@pytest.fixture(params=['plain', pytest.param('extension', marks=pytest.mark.extension)])
def mode(request):
    return request.param


class Cut:
    """Cuts the connection, once, at the n-th time that the client sends something, before or after the server has it.

    The farewell of an invocation before, which may come when the next one is under way, does not count.
    """

    def __init__(self, step, delivered):
        self.step, self.delivered = step, delivered
        self.seen = 0
        self.sent = None                # what was being sent then

    def __call__(self, data, port):
        counts = not data.startswith(AT_NO_TIME_OF_ITS_OWN)
        self.seen += counts
        if not counts or self.seen != self.step:
            return None
        self.sent = data
        if not self.delivered:
            raise ConnectionResetError
        return self._reset

    @staticmethod
    def _reset():
        raise ConnectionResetError


@pytest.mark.parametrize('delivered', [False, True], ids=['not delivered', 'delivered'])
def test_each_step(trigger, database, proxy, mode, delivered):
    commit = b'COMMIT' if mode == 'plain' else b'rdsinit.deploy('
    through = proxy()
    # Without a look at what a statement waits for, which on a busy machine would be a step more.
    running = trigger(BUNDLE, RDSINIT_MODE=mode, DB_HOST='127.0.0.1', DB_PORT=through.port, RDSINIT_LOCK_TIMEOUT='1min',
                      RDSINIT_PROGRESS_INTERVAL='1min')
    outcomes = set()
    for step in range(1, STEPS_AT_MOST):
        database.drop()
        through.watch = cut = Cut(step, delivered)
        outcome = running.invoke()
        if outcome.kind == 'response':
            outcomes.add('response')
        else:
            assert outcome.payload['errorType'] == 'Rdsinit.Connection', (cut.sent, outcome.payload)
            assert 'unknown' in outcome.payload['errorMessage'] and 'safe' in outcome.payload['hint']
            assert commit in cut.sent
            outcomes.add('unknown')
            running.succeed()
        assert database.rows('SELECT n FROM made ORDER BY n') == [(1,), (2,), (3,)]
        assert [row[0] for row in database.history('rdsinit_plain' if mode == 'plain' else 'rdsinit')] == sorted(BUNDLE)
        if cut.sent is None:
            break
    assert cut.sent is None, 'there were more steps'
    assert step > 5 and outcomes == {'response', 'unknown'}
