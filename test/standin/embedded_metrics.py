"""CloudWatch's embedded metric format: what a log line must be so that CloudWatch makes metrics of it.

The schema is that of the specification; what a schema cannot say is checked besides.
"""

import time

import jsonschema

UNITS = ['Seconds', 'Microseconds', 'Milliseconds', 'Bytes', 'Kilobytes', 'Megabytes', 'Gigabytes', 'Terabytes', 'Bits', 'Kilobits',
         'Megabits', 'Gigabits', 'Terabits', 'Percent', 'Count', 'Bytes/Second', 'Kilobytes/Second', 'Megabytes/Second',
         'Gigabytes/Second', 'Terabytes/Second', 'Bits/Second', 'Kilobits/Second', 'Megabits/Second', 'Gigabits/Second',
         'Terabits/Second', 'Count/Second', 'None']


def _text(longest):
    return {'type': 'string', 'pattern': '^(.*)$', 'minLength': 1, 'maxLength': longest}


SCHEMA = {
    'type': 'object',
    'required': ['_aws'],
    'properties': {'_aws': {
        'type': 'object',
        'required': ['Timestamp', 'CloudWatchMetrics'],
        'additionalProperties': False,
        'properties': {
            'Timestamp': {'type': 'integer'},
            'CloudWatchMetrics': {'type': 'array', 'items': {
                'type': 'object',
                'required': ['Namespace', 'Dimensions', 'Metrics'],
                'additionalProperties': False,
                'properties': {
                    'Namespace': _text(1024),
                    'Dimensions': {'type': 'array', 'minItems': 1, 'items': {
                        'type': 'array', 'minItems': 1, 'maxItems': 30, 'items': _text(250)}},
                    'Metrics': {'type': 'array', 'minItems': 1, 'maxItems': 100, 'items': {
                        'type': 'object',
                        'required': ['Name'],
                        'additionalProperties': False,
                        'properties': {'Name': _text(1024), 'Unit': {'enum': UNITS}, 'StorageResolution': {'enum': [1, 60]}}}}}}}}}},
}


def metrics_of(entry):
    """{namespace: {name: (value, unit)}}, the dimensions' values; an error where CloudWatch would take none."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(entry, SCHEMA)
    aws = entry['_aws']
    now = time.time() * 1000
    assert now - 14 * 86400e3 < aws['Timestamp'] < now + 2 * 3600e3, 'CloudWatch takes nothing that is so old, or to come'
    found, dimensions = {}, {}
    for directive in aws['CloudWatchMetrics']:
        for name in (name for names in directive['Dimensions'] for name in names):
            assert isinstance(entry[name], str) and 1 <= len(entry[name]) <= 1024, 'a dimension is a text of the line itself'
            dimensions[name] = entry[name]
        for metric in directive['Metrics']:
            value = entry[metric['Name']]
            values = value if isinstance(value, list) else [value]
            assert all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in values) and len(values) <= 100
            found.setdefault(directive['Namespace'], {})[metric['Name']] = (value, metric.get('Unit', 'None'))
    return found, dimensions
