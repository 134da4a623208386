"""What was found: ours, where a stack frame is rdsinit.so's, or else the server's own."""

import re

# A report of valgrind's is between BEGIN and END; the sanitizers' are a file each.
VALGRIND = re.compile(r'^==\d+== BEGIN\n(.*?)^==\d+== END$', re.DOTALL | re.MULTILINE)
# With debug information a frame has the function's name, and not the library's.
OURS = re.compile(r'rdsinit\.so|\brds(?:init)?_\w+ |\bsrc/\w+\.c:\d+:\d+: runtime error')


def findings(reports, how):
    """(ours, the server's): texts, each one once."""
    texts = []
    for path in sorted(reports.iterdir()):
        text = path.read_text(errors='replace')
        texts += VALGRIND.findall(text) if how == 'valgrind' else [text] if text.strip() else []
    once = {_without_numbers(text): text for text in texts}
    ours = [text for text in once.values() if OURS.search(text)]
    return ours, [text for text in once.values() if text not in ours]


def _without_numbers(text):
    """What the same finding in another process would be: no process, no address."""
    return re.sub(r'==\d+==|0x[0-9A-Fa-f]+', '', text)
