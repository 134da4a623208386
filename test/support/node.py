"""Node.js and npm's packages, as `./dev npm` puts them below build/cdk."""

import json
import os
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ROOT / 'build' / 'cdk' / 'node_modules'
SCRIPTS = ROOT / 'test' / 'cdk'


def install():
    """Installs what is missing, once."""
    finished = subprocess.run([ROOT / 'dev', 'npm'], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def program():
    """The Node.js that CDK asks for, which Debian's own is too old to be."""
    machine = {'x86_64': 'x64', 'aarch64': 'arm64'}[platform.machine()]
    return MODULES / ('node-linux-' + machine) / 'bin' / 'node'


def node(*arguments, timeout=120, cwd=None, **variables):
    """Runs a script of test/cdk (or what stands at an absolute path); its CompletedProcess."""
    script, *rest = arguments
    environment = {'PATH': '/usr/bin:/bin', 'HOME': os.devnull, 'NODE_PATH': str(MODULES), **variables}
    return subprocess.run([program(), SCRIPTS / script, *rest], env=environment, stdin=subprocess.DEVNULL, cwd=cwd,
                          capture_output=True, text=True, timeout=timeout)


def node_json(*arguments, **variables):
    """What the script prints, as JSON; it must succeed."""
    finished = node(*arguments, **variables)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return json.loads(finished.stdout)
