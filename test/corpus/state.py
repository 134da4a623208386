"""What a database and its server hold, as text that can be compared."""

import difflib
import re
import subprocess

from support.database import quoted

SETVAL = re.compile(r"^SELECT pg_catalog\.setval\(")


def dump(database):
    """pg_dump's lines, data and the database's own properties included, comments left out."""
    text = subprocess.run(['pg_dump', '--create', '-d', database.name], check=True, capture_output=True,
                          timeout=600).stdout.decode('latin-1')
    lines, in_data = [], False
    for line in text.split('\n'):
        if in_data or not (line == '' or line.startswith(('--', '\\restrict ', '\\unrestrict '))):
            lines.append(line)
        in_data = line != '\\.' if in_data else _begins_data(line)
    return lines


def without_data(lines):
    kept, in_data = [], False
    for line in lines:
        if not in_data and not SETVAL.match(line):
            kept.append(line)
        in_data = line != '\\.' if in_data else _begins_data(line)
    return kept


def _begins_data(line):
    return line.startswith('COPY ') and line.endswith(' FROM stdin;')


def forget_rdsinit(database):
    """Takes rdsinit's own out of a database, whose rest is to be compared; event triggers are not asked."""
    database.rows('SET session_replication_role = replica; SET client_min_messages = error; '
                  'DROP EXTENSION IF EXISTS rdsinit; DROP SCHEMA IF EXISTS rdsinit_plain CASCADE')


ROLES = """
SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
       r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil::text, r.rolpassword IS NULL,
       ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid ORDER BY 1),
       ARRAY(SELECT s.setconfig::text FROM pg_db_role_setting s WHERE s.setrole = r.oid ORDER BY 1)
  FROM pg_authid r WHERE r.rolname !~ '^pg_' ORDER BY 1
"""


def roles(server):
    """The server's roles: a script may make some, and a dump does not show them."""
    return {row[0]: repr(row) for row in server.rows(ROLES)}


def drop_roles(server, names):
    for name in names:
        server.rows('DROP OWNED BY %s; DROP ROLE %s' % (quoted(name), quoted(name)))


def first_difference(wanted, found, lines=6):
    """The first lines of a diff, shortened."""
    diff = difflib.unified_diff(wanted, found, 'psql', 'rdsinit', lineterm='', n=0)
    return ['    ' + line[:160] for line, _ in zip(diff, range(lines + 2))][2:]
