"""The extension as `make install` puts it, in a directory of its own, for servers of the tests' own."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def pg_config(what):
    return subprocess.run([os.environ.get('PG_CONFIG', 'pg_config'), '--' + what],
                          check=True, capture_output=True, text=True).stdout.strip()


def major():
    return int(re.search(r'\d+', pg_config('version'))[0])


def make(*arguments, source=ROOT, directory=None, **variables):
    """make, with PG_CONFIG and the variables; its CompletedProcess."""
    given = {'PG_CONFIG': os.environ.get('PG_CONFIG', 'pg_config'), **variables}
    return subprocess.run(
        ['make', '-s', '-C', str(directory or source), *(['-f', str(source / 'Makefile'), 'VPATH=%s' % source] if directory else []),
         *arguments, *('%s=%s' % item for item in given.items())],
        capture_output=True, text=True, timeout=600, env={**os.environ, 'LC_ALL': 'C.UTF-8'})


class Installation:
    """Made by `make install DESTDIR=…`; a server with `settings` has the extension from here."""

    def __init__(self, source=ROOT):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='rdsinit-installation-'))
        finished = make('install', source=source, DESTDIR=self.directory)
        if finished.returncode != 0:
            self.remove()
            raise RuntimeError('make install: ' + finished.stderr)
        self.share = self.directory / pg_config('sharedir')[1:]
        self.lib = self.directory / pg_config('pkglibdir')[1:]
        self.directory.chmod(0o755)

    @property
    def settings(self):
        if major() >= 18:
            return {'extension_control_path': '%s:$system' % self.share, 'dynamic_library_path': '%s:$libdir' % self.lib}
        return {'extension_destdir': str(self.directory)}

    @property
    def scripts(self):
        """Where the control file and the SQL scripts are."""
        return self.share / 'extension'

    def files(self):
        return sorted(path for path in self.directory.rglob('*') if not path.is_dir())

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)
