"""Damage, by a seeded random.Random."""

PIECES = [b'"', b'\\', b'\\u0000', b'\\ud800', b'{', b'}', b'[', b']', b',', b':', b'\x00', b'\xff', b'\xc3', b'1e999', b'null', b'//',
          b'\xef\xbb\xbf', b'\n', b'\r\n', b'\x1e', b'/', b'.sql', b'=', b'#']


def damaged(chance, text):
    """Bytes changed, cut, doubled or thrown in."""
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(text) + 1)
        to = min(len(text), at + chance.randrange(20))
        text = chance.choice([
            text[:at], text[:at] + text[to:], text[:to] + text[at:], text[:at] + chance.choice(PIECES) + text[at:],
            text[:at] + bytes([chance.randrange(256)]) + text[at + 1:]])
    return text
