"""What the sources say of themselves: functions, options, variables, errors."""

import functools
import os
import re
import subprocess

from .documents import ROOT

STRING = r'"((?:[^"\\]|\\.)*)"'


def source(path):
    return (ROOT / path).read_text(encoding='utf-8')


def sources(pattern):
    return ''.join(path.read_text(encoding='utf-8') for path in sorted(ROOT.glob(pattern)))


def install_script():
    """The newest version's."""
    (version,) = re.findall(r"default_version = '(.*)'", source('rdsinit.control'))
    return source('sql/rdsinit--%s.sql' % version)


def signatures():
    """name -> what a caller gives, 'name type [DEFAULT value], …', of each function and procedure that is left."""
    script, found = install_script(), {}
    for name, arguments in re.findall(r'CREATE (?:FUNCTION|PROCEDURE) rdsinit\.(\w+)\((.*?)\)\n(?:RETURNS|AS)', script, re.DOTALL):
        if 'DROP FUNCTION rdsinit.%s(' % name in script:
            continue
        each = [re.sub(r'\s+', ' ', one).strip().replace('pg_catalog.', '') for one in arguments.split(',')]
        found[name] = ', '.join(one for one in each if one and not one.startswith('OUT '))
    return found


def results():
    """name -> the columns of each function that has OUT parameters, each table, and each composite type."""
    script, found = install_script(), {}
    for name, arguments in re.findall(r'CREATE FUNCTION rdsinit\.(\w+)\((.*?)\)\nRETURNS', script, re.DOTALL):
        columns = re.findall(r'\bOUT (\w+) ', arguments)
        if columns:
            found[name] = columns
    for name, body in re.findall(r'CREATE (?:TABLE|TYPE) rdsinit\.(\w+) (?:AS )?\((.*?)\n\)', script, re.DOTALL):
        found[name] = re.findall(r'^    ([a-z]\w*) ', body, re.MULTILINE)
    return found


def relations():
    return re.findall(r'CREATE (?:TABLE|VIEW|TYPE|SEQUENCE) rdsinit\.(\w+)', install_script())


def options():
    return re.findall(r'strcmp\(key, "(\w+)"\) == 0', source('src/options.c'))


def database_options():
    return re.findall(r'^\t\{"(\w+)", "[A-Z_ ]+", (\w+)\},', source('src/ensure.c'), re.MULTILINE)


def plan_rules():
    text = source('src/plan_warnings.c')
    warned = re.findall(r'warn\(step, "([\w-]+)"', text)
    chosen = re.findall(r'\brule = (.*?);', text, re.DOTALL)
    return set(warned) | {rule for each in chosen for rule in re.findall(STRING, each)}


def variables():
    """name -> the default of each environment variable that trigger/config.c knows."""
    found = re.findall(r'^\t\{"(\w+)", read_\w+, FIELD\([\w.]+\), .*?, (NULL|"\w+")\}', source('trigger/config.c'), re.MULTILINE)
    return {name: None if default == 'NULL' else default.strip('"') for name, default in found}


def event_keys():
    """name -> who may use it, as trigger/event_keys.c has it."""
    return dict(re.findall(r'^\t\{"(\w+)", USE_(\w+),', source('trigger/event_keys.c'), re.MULTILINE))


def error_types():
    return re.findall(r'"(Rdsinit\.\w+)"', source('trigger/error.h'))


def command_line():
    return re.findall(r'^\t\t\{"([\w-]+)", (?:no|required)_argument', source('trigger/main.c'), re.MULTILINE)


def sqlstates_of_the_trigger():
    """What the trigger gives an error of its own, not what it looks for in the server's."""
    calls = re.findall(r'error_sqlstate\((.*?)\);', sources('trigger/*.c'), re.DOTALL)
    return {state for call in calls for state in re.findall(r'"([0-9A-Z]{5})"', call)}


def raised():
    """(SQLSTATEs, message) of each error that the extension raises itself, "…" for what differs."""
    found = []
    for body in re.findall(r'ereport\((?:ERROR|FATAL),(.*?)\)\);\n', sources('src/*.c'), re.DOTALL):
        (codes, calls), = re.findall(r'(errcode\w*\(.*?),\s*(errmsg\(.*)', body, re.DOTALL)
        states = {sqlstate(name) for name in re.findall(r'ERRCODE_(\w+)', codes)}
        message = re.match(r'errmsg\((.*?)(?:\),\n|$)', calls, re.DOTALL).group(1)
        texts = re.findall(STRING, message)
        # one of several messages, or one with words put into it
        found += [(states, generic(text)) for text in (texts if '?' in message.split('"')[0] else texts[:1])]
    for text in re.findall(r'snprintf\(trouble->message, sizeof\(trouble->message\),\s*' + STRING, sources('src/shared/*.c')):
        found.append((set(), generic(text)))
    return [(states, text) for states, text in found if re.search(r'[a-z]{3}', text)]


@functools.lru_cache(maxsize=None)
def sqlstate(condition):
    """As the server's header has it: ERRCODE_LOCK_NOT_AVAILABLE is 55P03."""
    include = subprocess.run([os.environ.get('PG_CONFIG', 'pg_config'), '--includedir-server'], capture_output=True,
                             text=True, check=True).stdout.strip()
    with open(include + '/utils/errcodes.h', encoding='ascii') as header:
        characters, = re.findall(r"^#define ERRCODE_%s MAKE_SQLSTATE\(([^)]*)\)" % condition, header.read(), re.MULTILINE)
    return ''.join(re.findall(r"'(.)'", characters))


def generic(message):
    """A message of C's as the documents write it."""
    message = message.replace('\\"', '"').replace('\\\\', '\\')
    message = re.sub(r'%(?:zu|zd|ld|[msdcu])', '…', message)
    return re.sub(r'"?\\?(?:rdsinit\.)?…(?:\.…|\.history)?"?', '…', message)


def names_of_functions(pattern):
    """All functions that C sources define."""
    return set(re.findall(r'^(\w+)\([^;]*?\)\n\{', sources(pattern), re.MULTILINE))
