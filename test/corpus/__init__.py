"""Real scripts, applied by psql and by rdsinit in each of its ways, and compared by pg_dump.

    python3 -m corpus DIRECTORY        # from test/, with a server: ./dev corpus

psql is the judge: what `psql -X -1 -v ON_ERROR_STOP=1 -f` applies must come out the same,
and what it refuses must be refused at the same statement.  `./dev corpus` is the short way.
"""

from .cases import find
from .report import Report
from .runner import Runner

__all__ = ['Report', 'Runner', 'find']
