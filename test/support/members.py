"""What an extension comes to in a database: its objects as pg_dump writes them, and how they belong to it."""

import re

from .psql import run

# What pg_upgrade would keep, and two databases do not share: OIDs, files, transaction ids.
_NUMBERS = re.compile(r'^(-- For binary upgrade.*?$|SELECT pg_catalog\.binary_upgrade_.*?;$|DROP EXTENSION .*?;$|'
                      r'UPDATE pg_catalog\.pg_class\nSET relfrozenxid.*?;$)\n', re.M | re.S)
_ENTRY = re.compile(r'^--\n-- (Name: .*?)\n--\n(.*?)(?=^--\n-- |\Z)', re.M | re.S)


def members(database, extension='rdsinit'):
    """{what: definition} of all that belongs to an extension, to compare two databases by.

    For pg_upgrade pg_dump writes an extension's members one by one, with their rights and comments.
    """
    text = run(database, 'pg_dump', '--binary-upgrade', '--schema-only', '--restrict-key=test', check=True).stdout.decode()
    found = {title: _NUMBERS.sub('', body).strip() for title, body in _ENTRY.findall(text)}
    return {**found, **{what: database.rows(sql, {'extension': extension}) for what, sql in CATALOGS.items()}}


CATALOGS = {
    'the extension': """
        SELECT extversion, extrelocatable, extnamespace::regnamespace::text, extowner::regrole::text FROM pg_extension WHERE extname = %(extension)s""",
    'what a dump brings along': """
        SELECT of::regclass::text, condition
          FROM pg_extension, unnest(extconfig, extcondition) AS c (of, condition) WHERE extname = %(extension)s ORDER BY 1""",
    'members': """
        SELECT i.type, i.identity
          FROM pg_depend AS d JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e',
               pg_identify_object(d.classid, d.objid, d.objsubid) AS i
         WHERE e.extname = %(extension)s ORDER BY 1, 2""",
    'rights that came with it': """
        SELECT i.type, i.identity, p.privtype::text, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(p.initprivs) AS a)
          FROM pg_init_privs AS p JOIN pg_depend AS d ON (d.classid, d.objid) = (p.classoid, p.objoid) AND d.deptype = 'e'
               JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid,
               pg_identify_object(p.classoid, p.objoid, p.objsubid) AS i
         WHERE e.extname = %(extension)s ORDER BY 1, 2""",
}
