"""A PostgreSQL server and one database of it, as the tests look at them."""

import contextlib
import dataclasses
import time
import uuid

import psycopg2
import psycopg2.errors


# Connections that stay, of servers that have a socket: those that are there as long as the tests.
_administrators = {}


@dataclasses.dataclass(frozen=True)
class Server:
    """Where a server listens, and its superuser."""
    host: str
    port: int
    user: str
    password: str = ''
    socket: str = ''            # a directory: by that the superuser logs in without a password

    def connect(self, database='postgres', user=None, password=None):
        connection = psycopg2.connect(
            host=self.socket if self.socket and user is None and password is None else self.host, port=self.port,
            user=user or self.user, password=self.password if password is None else password,
            dbname=database, application_name='rdsinit test', connect_timeout=10)
        connection.autocommit = True
        return connection

    def rows(self, sql, parameters=None, database='postgres'):
        with contextlib.closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def administer(self, sql):
        """Where there is a socket, by a connection that stays: databases come and go with each test."""
        if not self.socket:
            self.rows(sql)
            return
        if self not in _administrators:
            _administrators[self] = self.connect()
        with _administrators[self].cursor() as cursor:
            cursor.execute(sql)

    def value(self, sql, parameters=None, database='postgres'):
        return self.rows(sql, parameters, database)[0][0]

    def has_extension(self, name='rdsinit'):
        """Whether CREATE EXTENSION works; nothing stays.

        pg_available_extensions does not know: it leaves out what is under extension_destdir,
        where ./dev has an extension that is not installed for all.
        """
        try:
            self.rows('BEGIN; CREATE EXTENSION IF NOT EXISTS %s CASCADE; ROLLBACK' % quoted(name))
            return True
        except (psycopg2.errors.FeatureNotSupported, psycopg2.errors.UndefinedFile):
            return False

    def environment(self):
        """The trigger's variables for this server and its superuser."""
        return {'DB_HOST': self.host, 'DB_PORT': str(self.port), 'DB_SSLMODE': 'disable',
                'DB_USER': self.user, 'DB_PASSWORD': self.password}


class Database:
    """A database of a name that nobody else has.  It need not exist."""

    def __init__(self, server, name=None):
        self.server = server
        self.name = name or 'rdsinit_test_' + uuid.uuid4().hex[:12]

    def create(self, owner=None):
        self.server.administer('CREATE DATABASE %s%s' % (quoted(self.name), ' OWNER ' + quoted(owner) if owner else ''))
        return self

    def drop(self):
        self.server.administer('DROP DATABASE IF EXISTS %s WITH (FORCE)' % quoted(self.name))

    def exists(self):
        return self.server.value('SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)', (self.name,))

    def connect(self, user=None, password=None):
        return self.server.connect(self.name, user, password)

    def rows(self, sql, parameters=None):
        return self.server.rows(sql, parameters, self.name)

    def value(self, sql, parameters=None):
        return self.server.value(sql, parameters, self.name)

    def history(self, ledger):
        """(name, outcome, statements, rows) of each row of 'rdsinit' or 'rdsinit_plain'; None without a ledger."""
        if not self.value('SELECT to_regclass(%s) IS NOT NULL', (ledger + '.history',)):
            return None
        return self.rows('SELECT name, outcome, statements, rows FROM %s.history ORDER BY id' % ledger)

    def relations(self):
        """The names of all relations that a user made, ledgers left out."""
        return [name for name, in self.rows(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname !~ '^(pg_|information_schema|rdsinit)' AND c.relkind IN ('r', 'v', 'm', 'S', 'p') "
            'ORDER BY 1')]

    def wait_until(self, sql, parameters=None, timeout=10):
        """Until the query says true: for what the server does in its own time."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            end = time.monotonic() + timeout
            while True:
                cursor.execute(sql, parameters)
                if cursor.fetchone()[0]:
                    return
                if time.monotonic() > end:
                    raise TimeoutError('not within %s s: %s' % (timeout, sql))
                time.sleep(0.01)


def quoted(identifier):
    return '"%s"' % identifier.replace('"', '""')
