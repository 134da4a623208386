"""A directory as a zip file that depends on its files' names and contents alone."""

import os
import pathlib
import stat
import sys
import time
import zipfile

# Lambda runs the program as another user than the one who owns the files.
PROGRAM = 'bootstrap'
EARLIEST = 315532800                    # 1980-01-01: a zip file has no time before it


def pack(directory, out, epoch):
    moment = time.gmtime(max(epoch, EARLIEST))[:6]
    names = sorted(path.relative_to(directory).as_posix() for path in directory.rglob('*') if path.is_file())
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, moment)
            entry.create_system = 3     # Unix: the mode counts
            entry.external_attr = (stat.S_IFREG | (0o755 if name == PROGRAM else 0o644)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (directory / name).read_bytes(), compresslevel=9)


if __name__ == '__main__':
    source, target = map(pathlib.Path, sys.argv[1:])
    target.unlink(missing_ok=True)
    pack(source, target, int(os.environ['SOURCE_DATE_EPOCH']))
