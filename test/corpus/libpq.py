"""libpq itself, as far as psycopg2 hides it: parameters of the protocol, Parse, bytes as they are."""

import ctypes
import ctypes.util

_library = ctypes.CDLL(ctypes.util.find_library('pq') or 'libpq.so.5')
_pointer, _bytes, _int = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
for _name, _result, _arguments in [
        ('PQconnectdb', _pointer, [_bytes]), ('PQstatus', _int, [_pointer]), ('PQfinish', None, [_pointer]),
        ('PQerrorMessage', _bytes, [_pointer]), ('PQbackendPID', _int, [_pointer]),
        ('PQexec', _pointer, [_pointer, _bytes]),
        ('PQexecParams', _pointer, [_pointer, _bytes, _int, _pointer, ctypes.POINTER(_bytes), _pointer, _pointer, _int]),
        ('PQprepare', _pointer, [_pointer, _bytes, _bytes, _int, _pointer]),
        ('PQresultStatus', _int, [_pointer]), ('PQresultErrorField', _bytes, [_pointer, _int]),
        ('PQntuples', _int, [_pointer]), ('PQnfields', _int, [_pointer]),
        ('PQgetvalue', _bytes, [_pointer, _int, _int]), ('PQclear', None, [_pointer]),
        ('PQsetNoticeProcessor', _pointer, [_pointer, _pointer, _pointer])]:
    getattr(_library, _name).restype = _result
    getattr(_library, _name).argtypes = _arguments

_NO_NOTICES = ctypes.CFUNCTYPE(None, _pointer, _bytes)(lambda argument, message: None)

CONNECTION_OK = 0
COPY_IN = 4
FAILED = (5, 7)                         # PGRES_BAD_RESPONSE, PGRES_FATAL_ERROR


class Error(Exception):
    """What the server said."""

    def __init__(self, sqlstate, message, position=None, context=None):
        super().__init__('%s: %s' % (sqlstate, message))
        self.sqlstate, self.message, self.position, self.context = sqlstate, message, position, context


class ConnectionLost(Exception):
    """There is no connection, or no more: of a backend that crashed, too."""


class Connection:
    """A connection by libpq's own environment and the parameters given."""

    def __init__(self, **parameters):
        text = ' '.join("%s='%s'" % item for item in parameters.items())
        self._connection = _library.PQconnectdb(text.encode())
        if _library.PQstatus(self._connection) != CONNECTION_OK:
            raise ConnectionLost(_library.PQerrorMessage(self._connection).decode('utf-8', 'replace'))
        _library.PQsetNoticeProcessor(self._connection, ctypes.cast(_NO_NOTICES, _pointer), None)

    @property
    def pid(self):
        return _library.PQbackendPID(self._connection)

    def execute(self, sql):
        """One message of the simple-query protocol; the rows of its last statement."""
        return self._finish(_library.PQexec(self._connection, sql))

    def execute_parameters(self, sql, *parameters, binary=False):
        """Parameters are text, or all of them in their types' binary formats."""
        count = len(parameters)
        values = (_bytes * count)(*parameters)
        lengths = (_int * count)(*(len(value) for value in parameters)) if binary else None
        formats = (_int * count)(*([1] * count)) if binary else None
        return self._finish(_library.PQexecParams(
            self._connection, sql, count, None, values, lengths, formats, 0))

    def parse(self, sql):
        """A Parse message: one statement, which is not run."""
        self._finish(_library.PQprepare(self._connection, b'', sql, 0, None))

    def close(self):
        _library.PQfinish(self._connection)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    def _finish(self, result):
        try:
            status = _library.PQresultStatus(result)
            if status == COPY_IN:
                raise Error('0A000', 'COPY FROM STDIN waits for data')
            if status in FAILED:
                raise self._error(result)
            return [tuple(_library.PQgetvalue(result, row, column) for column in range(_library.PQnfields(result)))
                    for row in range(_library.PQntuples(result))]
        finally:
            _library.PQclear(result)

    def _error(self, result):
        def field(code):
            value = _library.PQresultErrorField(result, ord(code))
            return value.decode('utf-8', 'replace') if value is not None else None
        if field('C') is None or field('C').startswith('57P'):
            return ConnectionLost(_library.PQerrorMessage(self._connection).decode('utf-8', 'replace'))
        return Error(field('C'), field('M'), int(field('P')) if field('P') else None, field('W'))
