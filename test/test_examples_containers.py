"""examples/docker and examples/cloudnativepg, as they stand.

There is no container engine here, nor Kubernetes.  What each does with the files is done by the rules that it has
written down: docker-entrypoint.sh of the official image docker-library/postgres, and CloudNativePG's
"Bootstrap an empty cluster" and "Image Volume Extensions".
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
import yaml

from support import Cluster, Database
from support.image import Image, why_no_tree
from support.installation import ROOT, Installation, major

pytestmark = pytest.mark.skipif(why_no_tree() is not None, reason=str(why_no_tree()))

# What the entrypoint of the official image does on an empty data directory.
ENTRYPOINT = r'''
cat >/mnt/entrypoint <<'END_OF_ENTRYPOINT'
set -Eeo pipefail
PATH=/usr/lib/postgresql/%(major)s/bin:$PATH
export PGDATA=/tmp/pgdata POSTGRES_PASSWORD=sesame POSTGRES_USER=postgres POSTGRES_DB=shop LC_ALL=C.UTF-8
docker_process_sql() {
	PGHOST= PGHOSTADDR= psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc --dbname "${db-$POSTGRES_DB}" "$@"
}
initdb --username="$POSTGRES_USER" --pwfile=<(printf "%%s\n" "$POSTGRES_PASSWORD") >/dev/null
printf '\nhost all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start >/dev/null
db=postgres docker_process_sql --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db" ;'
for f in /docker-entrypoint-initdb.d/*; do
	case "$f" in
		*.sh) if [ -x "$f" ]; then "$f"; else . "$f"; fi ;;
		*.sql) docker_process_sql -f "$f" ;;
		*.sql.gz) gunzip -c "$f" | docker_process_sql ;;
		*.sql.xz) xzcat "$f" | docker_process_sql ;;
		*.sql.zst) zstd -dc "$f" | docker_process_sql ;;
		*) echo "ignoring $f" ;;
	esac
done
pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
# The server as the container then runs it, but that it has no network.
pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start >/dev/null
%(then)s
pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
END_OF_ENTRYPOINT
cd /tmp
setpriv --reuid=postgres --regid=postgres --clear-groups bash /mnt/entrypoint
'''


def comment(path):
    """A file's text without what stands before each line of a comment."""
    return re.sub(r'^#\s*', '', path.read_text(), flags=re.M)


# --- docker-entrypoint-initdb.d -------------------------------------------------------------

def container(directory, then):
    finished = Image('examples/docker/Dockerfile').run(directory, ENTRYPOINT % {'major': major(), 'then': then})
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_a_container_comes_up_with_the_schema(tmp_path):
    again = re.search(r'^docker exec shop (psql .*)$', comment(ROOT / 'examples/docker/Dockerfile'), re.M)[1]
    look = "psql -XAt -U postgres -d shop -c 'SELECT * FROM missing ORDER BY id' -c 'SELECT name FROM rdsinit.status ORDER BY name'"
    output = container(tmp_path, '\n'.join([
        'echo ==; %s; echo ==; %s' % (look, again),
        # A change: the same command takes it.
        "echo ==; cp -r /schema /mnt/changed; echo 'ALTER TABLE product ADD price numeric;' >/mnt/changed/V3__price.sql",
        "sed 's|/schema|/mnt/changed|' /docker-entrypoint-initdb.d/schema.sql >/mnt/changed.sql",
        again.replace('/docker-entrypoint-initdb.d/schema.sql', '/mnt/changed.sql')]))
    first, looked, second, third = output.split('==\n')
    assert re.findall(r'(\S+\.sql) +\| +(\w+)', first) == [
        ('V1__product.sql', 'applied'), ('V2__stock.sql', 'applied'), ('views.sql', 'applied')]
    assert looked.splitlines() == ['1|a chair', '2|a table', 'V1__product.sql', 'V2__stock.sql', 'views.sql']
    assert re.findall(r'(\S+\.sql) +\| +(\w+)', second) == [
        ('V1__product.sql', 'unchanged'), ('V2__stock.sql', 'unchanged'), ('views.sql', 'unchanged')]
    assert re.findall(r'(\S+\.sql) +\| +(\w+)', third) == [
        ('V1__product.sql', 'unchanged'), ('V2__stock.sql', 'unchanged'), ('V3__price.sql', 'applied'), ('views.sql', 'unchanged')]


# --- CloudNativePG --------------------------------------------------------------------------

@pytest.fixture(scope='module')
def manifests():
    documents = yaml.safe_load_all((ROOT / 'examples/cloudnativepg/cluster.yaml').read_text())
    return {document['kind']: document for document in documents if document}


@pytest.fixture(scope='module')
def image():
    """The files of the extension's image, where a server may read them."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix='rdsinit-image-'))
    directory.chmod(0o755)
    try:
        finished = Image('examples/cloudnativepg/Dockerfile').run(directory)
        assert finished.returncode == 0, finished.stderr
        yield directory / 'share' / 'scratch'
    finally:
        shutil.rmtree(directory)


def test_the_image_holds_the_extension_and_nothing_else(image):
    assert sorted(str(path.relative_to(image)) for path in image.rglob('*') if not path.is_dir()) == sorted(
        ['lib/rdsinit.so', 'share/extension/rdsinit.control',
         *('share/extension/' + path.name for path in (ROOT / 'sql').glob('rdsinit--*.sql'))])


@pytest.fixture
def operated(manifests, tmp_path):
    """A cluster as the operator makes it, up to the queries of the user's: (Database, queries)."""
    initdb = manifests['Cluster']['spec']['bootstrap']['initdb']
    installation = Installation()
    cluster = Cluster(**installation.settings).initialize()
    try:
        server = cluster.start().server
        server.rows('CREATE ROLE "%s" LOGIN' % initdb['owner'])
        references = initdb['postInitApplicationSQLRefs']['configMapRefs']
        assert all(each['name'] == manifests['ConfigMap']['metadata']['name'] for each in references)
        yield (Database(server, initdb['database']).create(initdb['owner']),
               [manifests['ConfigMap']['data'][each['key']] for each in references])
    finally:
        cluster.remove()
        installation.remove()


def bootstrap(database, queries):
    """Each text in one go, as a superuser; the search path set before and reset behind."""
    connection = database.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute('SET search_path TO "$user", public')
            for query in queries:
                cursor.execute(query)
                outcomes = [outcome.split(',')[1] for outcome, in cursor.fetchall()]
            cursor.execute('RESET search_path')
            cursor.execute('SELECT current_user, session_user')
            assert cursor.fetchone() == ('postgres', 'postgres')
        return outcomes
    finally:
        connection.close()


def test_a_cluster_comes_up_with_the_schema(operated):
    database, queries = operated
    assert bootstrap(database, queries) == ['applied', 'applied', 'applied']
    assert database.rows("SELECT relname, relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                         "AND relkind IN ('r', 'v') ORDER BY 1") == [('missing', 'shop'), ('product', 'shop')]
    assert database.rows('SELECT * FROM missing ORDER BY id') == [(1, 'a chair'), (2, 'a table')]
    assert database.rows('SELECT DISTINCT applied_by FROM rdsinit.history') == [('shop',)]
    assert bootstrap(database, queries) == ['unchanged', 'unchanged', 'unchanged']


def test_a_change_is_brought_to_a_cluster_by_psql(operated):
    database, (text,) = operated
    options = re.search(r'kubectl cnpg psql shop -- (.*)$', comment(ROOT / 'examples/cloudnativepg/cluster.yaml'), re.M)[1]
    server = database.server
    for changed, outcomes in ((text, 3 * ['applied']), (text.replace('WHERE stock = 0', 'WHERE stock < 1'), ['unchanged', 'unchanged', 'applied'])):
        finished = subprocess.run(
            ['psql', '-XAt', *options.split()], input=changed, text=True, capture_output=True, timeout=60,
            env={**os.environ, 'PGHOST': server.host, 'PGPORT': str(server.port), 'PGUSER': server.user, 'PGPASSWORD': server.password})
        assert finished.returncode == 0, finished.stderr
        assert re.findall(r'\.sql,(\w+),', finished.stdout) == outcomes


@pytest.mark.skipif(major() < 18, reason='extension images are for PostgreSQL 18 and later')
def test_the_operator_finds_the_image(image, manifests):
    """It is mounted, and the two settings say where."""
    (extension,) = manifests['Cluster']['spec']['postgresql']['extensions']
    cluster = Cluster(extension_control_path='$system:%s/share' % image, dynamic_library_path='$libdir:%s/lib' % image).initialize()
    try:
        server = cluster.start().server
        server.rows('CREATE EXTENSION "%s"' % extension['name'])
        assert server.rows("SELECT outcome FROM rdsinit.apply('a.sql', 'SELECT 1')") == [('applied',)]
    finally:
        cluster.remove()
