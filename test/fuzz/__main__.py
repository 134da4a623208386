"""python3 -m fuzz READER DIRECTORY: what libFuzzer begins with, a file for each."""

import hashlib
import pathlib
import sys

from . import INPUTS

reader, directory = sys.argv[1], pathlib.Path(sys.argv[2])
for text in INPUTS[reader].seeds():
    (directory / hashlib.sha256(text).hexdigest()[:16]).write_bytes(text)
