"""The project's documents, read as their readers' programs read them: blocks, headings, links, tables."""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Where people look, in the order in which they do.
PLACES = ['README.md', 'doc/*.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', '*/README.md', 'examples/**/*.md']


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block."""
    path: str
    line: int           # of its first line
    language: str       # '' where none is said
    text: str

    def __str__(self):
        return '%s:%d' % (self.path, self.line)


def documents():
    found = [str(path.relative_to(ROOT)) for place in PLACES for path in sorted(ROOT.glob(place))]
    return [path for path in dict.fromkeys(found) if not path.startswith('build/')]


def text_of(path):
    return (ROOT / path).read_text(encoding='utf-8')


def blocks(path):
    """All fenced blocks; one that does not end is an error."""
    found, fence, start, kept = [], None, 0, []
    for number, line in enumerate(text_of(path).splitlines(), 1):
        mark = re.match(r'```+(.*)$', line)
        if not mark:
            kept.append(line)
        elif fence is None:
            fence, start, kept = mark.group(1).strip(), number + 1, []
        else:
            assert not mark.group(1), '%s:%d: a fence within a block' % (path, number)
            found.append(Block(path, start, fence, ''.join(each + '\n' for each in kept)))
            fence = None
    assert fence is None, '%s:%d: the block does not end' % (path, start)
    return found


def prose(path):
    """The text without its fenced blocks."""
    return re.sub(r'^```.*?^```$', '', text_of(path), flags=re.MULTILINE | re.DOTALL)


def headings(path):
    return re.findall(r'^#+ (.*)$', prose(path), re.MULTILINE)


def anchors(path):
    """What a link to a heading is written like, as GitHub makes it."""
    made = []
    for heading in headings(path):
        heading = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', heading)
        anchor = re.sub(r'[^\w\- ]', '', heading.strip().lower()).replace(' ', '-')
        count = sum(1 for each in made if each == anchor or re.fullmatch(re.escape(anchor) + r'-\d+', each))
        made.append('%s-%d' % (anchor, count) if count else anchor)
    return made


def links(path):
    """(text, target) of each link outside of blocks and code."""
    plain = re.sub(r'`[^`\n]*`', lambda code: code.group(0).replace('](', '] ('), prose(path))
    return re.findall(r'\[([^]]*)\]\(([^)\s]+)\)', plain)


def section(path, heading):
    """What is below a heading, up to the next one of its rank or a higher one."""
    lines, depth, kept = text_of(path).splitlines(), None, []
    for line in lines:
        mark = re.match(r'(#+) (.*)$', line)
        if depth is None and mark and mark.group(2) == heading:
            depth = len(mark.group(1))
        elif depth is not None:
            if mark and len(mark.group(1)) <= depth:
                break
            kept.append(line)
    assert depth is not None, '%s has no heading "%s"' % (path, heading)
    return '\n'.join(kept)


def table_rows(text):
    """The rows of all tables in a piece of text, as lists of cells, without their heads."""
    rows, in_body = [], False
    for line in text.splitlines():
        if not line.startswith('|'):
            in_body = False
        elif re.fullmatch(r'[|:\- ]+', line):
            in_body = True
        elif in_body:
            cells = re.split(r'(?<!\\)\|', line.strip().strip('|'))
            rows.append([cell.strip() for cell in cells])
    return rows


def codes(text):
    """What stands between single backquotes."""
    return re.findall(r'`([^`\n]+)`', text)
