"""META.json by the PGXN Meta Spec, version 1.0.0 (https://pgxn.org/meta/spec.txt), for jsonschema."""

VERSION = (r'^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)'
           r'(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(\+[0-9A-Za-z.-]+)?$')
# One or several of these, with a comma between them.
_RANGE = r'(?:(?:==|!=|>=|<=|>|<)\s*)?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?'

LICENSES = ['agpl_3', 'apache_1_1', 'apache_2_0', 'artistic_1', 'artistic_2', 'bsd', 'freebsd', 'gfdl_1_2', 'gfdl_1_3', 'gpl_1',
            'gpl_2', 'gpl_3', 'lgpl_2_1', 'lgpl_3_0', 'mit', 'mozilla_1_0', 'mozilla_1_1', 'openssl', 'perl_5', 'postgresql',
            'qpl_1_0', 'ssleay', 'sun', 'zlib', 'open_source', 'restricted', 'unrestricted', 'unknown']


def _object(required=(), custom=True, **properties):
    """What the specification does not name is not allowed, but for keys of one's own, which begin with x_."""
    return {'type': 'object', 'required': list(required), 'properties': properties, 'additionalProperties': False,
            'patternProperties': {'^[xX]_.': {}} if custom else {}}


def _one_or_more(schema):
    return {'oneOf': [schema, {'type': 'array', 'items': schema, 'minItems': 1, 'uniqueItems': True}]}


_text = {'type': 'string', 'minLength': 1}
_term = {'type': 'string', 'pattern': r'^[^/\\\s\x00-\x1f\x7f]{2,}$'}
_path = {'type': 'string', 'minLength': 2, 'pattern': r'^(?!/)(?!.*\\)(?!(.*/)?\.\.(/|$))'}
_uri = {'type': 'string', 'pattern': r'^[a-z][a-z0-9+.-]*:\S+$'}
_version = {'type': 'string', 'pattern': VERSION}
_extensions = {'type': 'object', 'propertyNames': _term, 'additionalProperties': {'oneOf': [
    {'type': 'integer', 'enum': [0]}, {'type': 'string', 'pattern': r'^(0|%s(\s*,\s*%s)*)$' % (_RANGE, _RANGE)}]}}
_phase = {**_object(requires=_extensions, recommends=_extensions, suggests=_extensions, conflicts=_extensions), 'minProperties': 1}
_files = _one_or_more(_path)

META = _object(
    ['name', 'version', 'abstract', 'maintainer', 'license', 'provides', 'meta-spec'],
    name=_term,
    version=_version,
    abstract=_text,
    description=_text,
    generated_by=_text,
    maintainer=_one_or_more(_text),
    license={'oneOf': [_one_or_more({'enum': LICENSES}), {'type': 'object', 'minProperties': 1, 'additionalProperties': _uri}]},
    provides={'type': 'object', 'minProperties': 1, 'propertyNames': _term, 'additionalProperties':
              _object(['file', 'version'], file=_path, version=_version, abstract=_text, docfile=_path)},
    prereqs={**_object(configure=_phase, build=_phase, test=_phase, runtime=_phase, develop=_phase), 'minProperties': 1},
    release_status={'enum': ['stable', 'testing', 'unstable']},
    tags={'type': 'array', 'minItems': 1, 'uniqueItems': True,
          'items': {'type': 'string', 'minLength': 2, 'maxLength': 255, 'pattern': r'^[^/\\\x00-\x1f\x7f]+$'}},
    no_index={**_object(file=_files, directory=_files), 'minProperties': 1},
    resources={**_object(homepage=_uri, bugtracker={**_object(web=_uri, mailto=_text), 'minProperties': 1},
                         repository=_object(url=_uri, web=_uri, type={'type': 'string', 'pattern': '^[a-z]+$'})), 'minProperties': 1},
    **{'meta-spec': _object(['version'], version={'type': 'string', 'pattern': r'^1\.0\.\d+$'}, url=_uri)})
