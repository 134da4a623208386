"""The ways to a newer version of the extension, and of the server: a database that has had the extension for long
is the same as one that has just got it, and knows what was applied.
"""

import re
import shutil

import pytest

from support import Cluster, Database
from support.cluster import server_program
from support.installation import ROOT, Installation
from support.members import members
from support.psql import run

V1 = 'CREATE TABLE product (id int PRIMARY KEY);\nINSERT INTO product VALUES (1);\n'
BUNDLE = {'V1__product.sql': V1, 'views.sql': 'CREATE VIEW products AS SELECT count(*) FROM product;\n'}


def released(scripts):
    """(versions that a script installs, [(from, to)] that scripts lead along)"""
    names = [re.findall(r'--(\d[^-]*(?:-[^-]+)*?)(?=--|\.sql$)', path.name) for path in scripts.glob('rdsinit--*.sql')]
    return sorted(each[0] for each in names if len(each) == 1), sorted(tuple(each) for each in names if len(each) == 2)


def default(scripts):
    return re.search(r"^default_version *= *'(.*)'", (scripts / 'rdsinit.control').read_text(), re.M)[1]


class Upgrades:
    """A server with an installation of the extension of which the scripts can be changed."""

    def __init__(self):
        self.installation = Installation()
        self.scripts = self.installation.scripts
        self.cluster = Cluster(**self.installation.settings).initialize()
        self.made = []
        self.known = {}

    @property
    def server(self):
        return self.cluster.server

    def begin(self):
        """As the project has it, whatever the test before has made up."""
        for path in self.scripts.iterdir():
            path.unlink()
        for path in [ROOT / 'rdsinit.control', *(ROOT / 'sql').glob('rdsinit--*.sql')]:
            shutil.copy(path, self.scripts)

    def end(self):
        while self.made:
            self.made.pop().drop()

    def remove(self):
        self.cluster.remove()
        self.installation.remove()

    def release(self, version, install, update, before):
        """Makes up the next version: what it has for a fresh install and for an update, as if it were released."""
        (self.scripts / ('rdsinit--%s.sql' % version)).write_text(install)
        if update is not None:
            (self.scripts / ('rdsinit--%s--%s.sql' % (before, version))).write_text(update)
        control = self.scripts / 'rdsinit.control'
        control.write_text(control.read_text().replace("'%s'" % before, "'%s'" % version))

    def left_behind(self):
        """Versions that no way leads on from to the default one."""
        return [version for version, in self.server.rows(
            "SELECT source FROM pg_extension_update_paths('rdsinit') WHERE target = %s AND path IS NULL "
            'AND source = ANY (%s) AND source <> target', (default(self.scripts), released(self.scripts)[0]))]

    def database(self):
        self.made.append(Database(self.server))
        return self.made[-1].create()

    def fresh(self, version=None):
        database = self.database()
        database.rows('CREATE EXTENSION rdsinit' + (" VERSION '%s'" % version if version else ''))
        return database

    def newest(self):
        """What a fresh one has; looked up once for the same scripts."""
        key = default(self.scripts), *(path.read_text() for path in sorted(self.scripts.glob('rdsinit--*.sql'))
                                       if path.name.count('--') == 1)
        if key not in self.known:
            self.known[key] = members(self.fresh())
        return self.known[key]

    def differences(self, version):
        """What a database that began at a version has otherwise than a fresh one."""
        old = self.fresh(version)
        old.rows('ALTER EXTENSION rdsinit UPDATE')
        one, other = members(old), self.newest()
        return sorted(what for what in one.keys() | other.keys() if one.get(what) != other.get(what))


@pytest.fixture(scope='module')
def server_to_upgrade():
    made = Upgrades()
    try:
        made.cluster.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def upgrades(server_to_upgrade):
    server_to_upgrade.begin()
    yield server_to_upgrade
    server_to_upgrade.end()


def apply(database, **scripts):
    bundle = {**BUNDLE, **scripts}
    return [outcome for outcome, in database.rows(
        'SELECT outcome FROM rdsinit.apply_bundle(%s, %s)', (list(bundle), list(bundle.values())))]


# --- the extension --------------------------------------------------------------------------

def test_each_released_version_leads_to_the_newest(upgrades):
    versions, _ = released(ROOT / 'sql')
    assert versions and default(upgrades.scripts)
    assert upgrades.left_behind() == []
    for version in versions:
        assert upgrades.differences(version) == []


def test_each_way_leads_where_it_says(upgrades):
    """Of a version that a script installs, and that others lead to."""
    versions, ways = released(ROOT / 'sql')
    for source, target in ways:
        assert source in versions or any(to == source for _, to in ways), source
        assert target in versions or target == default(upgrades.scripts), target


# A next version that is made up, so that these tests can fail before there is one.
ADDED = """
CREATE TABLE rdsinit.extra (id bigint PRIMARY KEY, note pg_catalog.text DEFAULT 'none');
COMMENT ON TABLE rdsinit.extra IS 'made up';
SELECT pg_catalog.pg_extension_config_dump('rdsinit.extra', 'WHERE id > 0');
GRANT SELECT ON rdsinit.extra TO pg_database_owner;
CREATE FUNCTION rdsinit.more(name pg_catalog.text) RETURNS bigint LANGUAGE sql STABLE RETURN 1;
REVOKE ALL ON FUNCTION rdsinit.more(pg_catalog.text) FROM PUBLIC;
"""

FORGOTTEN = {
    'a comment': ("COMMENT ON TABLE rdsinit.extra IS 'made up';\n", ''),
    'a right': ('GRANT SELECT ON rdsinit.extra TO pg_database_owner;\n', ''),
    'that PUBLIC must not call it': ('REVOKE ALL ON FUNCTION rdsinit.more(pg_catalog.text) FROM PUBLIC;\n', ''),
    'that a dump brings it along': ("SELECT pg_catalog.pg_extension_config_dump('rdsinit.extra', 'WHERE id > 0');\n", ''),
    'which rows a dump brings along': ("'WHERE id > 0'", "''"),
    'a default': (" DEFAULT 'none'", ''),
    'a key': (' PRIMARY KEY', ''),
    'a body': ('RETURN 1', 'RETURN 2'),
    'volatility': (' STABLE', ''),
    'all of it': (ADDED, ''),
    'that it is a member': ('REVOKE', 'ALTER EXTENSION rdsinit DROP FUNCTION rdsinit.more(pg_catalog.text);\nREVOKE'),
}


def make_up(upgrades, update):
    before = default(upgrades.scripts)
    install = (ROOT / 'sql' / ('rdsinit--%s.sql' % before)).read_text()
    upgrades.release(before + '.1', install + ADDED, update, before)
    return before


def test_an_update_that_is_right(upgrades):
    before = make_up(upgrades, ADDED)
    assert upgrades.left_behind() == []
    assert upgrades.differences(before) == []

    # What was applied before is known behind it, and the next script is taken.
    database = upgrades.fresh(before)
    assert apply(database) == ['applied', 'applied']
    database.rows('ALTER EXTENSION rdsinit UPDATE')
    assert apply(database, **{'V2__more.sql': 'CREATE TABLE more ();'}) == ['unchanged', 'applied', 'unchanged']
    assert database.rows('SELECT * FROM rdsinit.drift()') == []


@pytest.mark.parametrize('what', FORGOTTEN)
def test_an_update_that_forgets(upgrades, what):
    wrong = ADDED.replace(*FORGOTTEN[what])
    assert wrong != ADDED
    assert upgrades.differences(make_up(upgrades, wrong)) != []


def test_a_version_without_a_way_on(upgrades):
    before = make_up(upgrades, None)
    assert upgrades.left_behind() == [before]


# --- the server -----------------------------------------------------------------------------

def with_history(database):
    assert apply(database) == ['applied', 'applied']
    return database


def goes_on(database):
    """It knows what was applied, finds nothing that others have changed, and takes what is next."""
    assert database.rows('SELECT * FROM rdsinit.drift()') == []
    assert apply(database) == ['unchanged', 'unchanged']
    assert apply(database, **{'V2__more.sql': 'CREATE TABLE more ();'}) == ['unchanged', 'applied', 'unchanged']
    assert database.rows('SELECT id, name FROM rdsinit.history ORDER BY id') == [
        (1, 'V1__product.sql'), (2, 'views.sql'), (3, 'V2__more.sql')]
    assert database.rows('SELECT * FROM rdsinit.drift()') == []


@pytest.mark.parametrize('form', ['plain', 'custom', 'directory'])
def test_a_dump_restored(upgrades, form, tmp_path):
    source, target = with_history(upgrades.fresh()), upgrades.database()
    run(source, 'pg_dump', '--format=' + form, '--file=%s' % (tmp_path / 'dump'), check=True)
    if form == 'plain':
        run(target, 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-f', str(tmp_path / 'dump'), check=True)
    else:
        run(target, 'pg_restore', '--exit-on-error', '--dbname=' + target.name, str(tmp_path / 'dump'), check=True)
    assert members(target) == members(source)
    goes_on(target)


def test_pg_upgrade(upgrades, cluster):
    """By the version of the server that is here, to itself: the way that leads to the next is the same."""
    settings = upgrades.installation.settings
    old, new = cluster(**settings), cluster(**settings)
    old.start()
    source = Database(old.server).create()
    source.rows('CREATE EXTENSION rdsinit')
    before = members(with_history(source))
    old.stop('fast')
    for each in (old, new):
        each.install('pg_hba.conf', 'local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n')
    new.run('pg_upgrade', '--old-bindir=' + server_program(''), '--new-bindir=' + server_program(''),
            '--old-datadir=%s' % old.data, '--new-datadir=%s' % new.data, '--username=postgres', '--socketdir=%s' % new.directory)
    new.start()
    target = Database(new.server, source.name)
    assert members(target) == before
    goes_on(target)
