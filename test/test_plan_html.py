"""The page that rdsinit.plan_html makes, as a browser has it."""

import html
import re
import shutil
import subprocess
import threading
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = pytest.mark.extension

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason='there is no chromium here: apt-get install chromium')

NASTY = '<script>x=1</script> & "q" \'a\' <img src=x onerror=y> ä'


class Elements(HTMLParser):
    """What a page consists of."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.classes, self.texts, self.references = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name == 'class':
                self.classes += value.split()
            if name in ('src', 'href', 'action', 'data', 'poster', 'srcset'):
                self.references.append(value)
            assert not name.startswith('on'), 'an event handler: %s' % name

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return ' '.join(self.texts)


class Listener:
    """A web server that serves one page, and notes what else is asked for."""

    def __init__(self, page):
        self.asked = asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.send_header('Content-Type', 'text/html')
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = 'http://127.0.0.1:%d/page' % self.server.server_port

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def page(database):
    """page(script) is the page of a plan in a database with two tables that have rows."""
    database.create()
    database.rows('CREATE EXTENSION rdsinit')
    database.rows('CREATE TABLE product AS SELECT g AS id, g AS price FROM generate_series(1, 2000) AS g')
    database.rows('CREATE TABLE "%s" (n int)' % NASTY.replace('"', '""'))

    def make(script, name='schema.sql'):
        return database.value('SELECT rdsinit.plan_html(%s, %s)', (name, script))
    return make


@pytest.fixture
def browse(tmp_path):
    """browse(page) is the document that a browser makes of a page, and what it asked the network for."""
    def run(page):
        listener = Listener(page)
        try:
            done = subprocess.run(
                [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                 '--user-data-dir=%s' % tmp_path, '--host-resolver-rules=MAP * 127.0.0.1', '--dump-dom', listener.url],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120, check=True)
        finally:
            listener.stop()
        return done.stdout.decode(), listener.asked
    return run


REWRITE = 'ALTER TABLE product ALTER price TYPE bigint;\nSELECT pg_sleep(0.15);\nCREATE TABLE made (n int);'


def test_it_is_complete_in_itself(page):
    made = page(REWRITE)
    elements = Elements(made)
    assert made.isascii()
    assert 'script' not in elements.tags
    assert [r for r in elements.references if not r.startswith(('#', 'data:'))] == []
    assert not re.search(r'@import|url\((?!#)|https?://', made)
    assert "default-src 'none'" in made


@needs_browser
def test_a_browser_shows_it_and_asks_for_nothing(page, browse):
    document, asked = browse(page(REWRITE))
    elements = Elements(document)
    assert asked == ['/page']
    assert 'public.product' in elements.text
    assert {'type-change', 'held-lock'} <= set(elements.text.split())
    # the picture: a block for each statement, a bar for the lock, the rewrite marked
    assert elements.tags.count('svg') == 1
    assert elements.classes.count('access') == 2        # one of them the legend's
    assert elements.classes.count('rewritten') == 2
    assert elements.classes.count('b0') + elements.classes.count('b1') == 3
    assert elements.tags.count('tr') == 1 + 3


@needs_browser
def test_names_are_text_whatever_is_in_them(page, browse):
    document, asked = browse(page('ALTER TABLE "%s" ADD m int' % NASTY.replace('"', '""'), name='<b>&.sql'))
    elements = Elements(document)
    assert asked == ['/page']
    assert '<title>rdsinit plan</title>' in document
    assert not {'script', 'img', 'b.sql'} & set(elements.tags)
    assert html.escape(NASTY, quote=False).split(' ')[0] in document
    assert NASTY.replace('"', '""') in elements.text
    assert '<b>&.sql' in elements.text


@needs_browser
def test_two_hundred_statements(page, browse):
    script = '\n'.join('CREATE TABLE t%d (n int);' % i for i in range(199)) + '\nALTER TABLE product ADD x int;'
    document, _ = browse(page(script))
    elements = Elements(document)
    assert elements.tags.count('tr') == 1 + 200
    assert elements.classes.count('b0') + elements.classes.count('b1') == 200
    assert document.rstrip().endswith('</html>')
