"""Verifies AWS Signature Version 4 as a service does.  The arithmetic is botocore's.

The rules that botocore, a client, does not need are here: which headers must be
signed, how old a date may be, what the scope must say.
"""

import datetime
import hashlib
import hmac
import re

import botocore.auth
import botocore.awsrequest
import botocore.credentials

SKEW = datetime.timedelta(minutes=5)
AUTHORIZATION = re.compile(
    r'AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/'
    r'(?P<service>[^/,\s]+)/aws4_request, ?SignedHeaders=(?P<headers>[a-z0-9;-]+), ?'
    r'Signature=(?P<signature>[0-9a-f]{64})')


class Refused(Exception):
    """The signature does not hold; `type` is AWS's name for how."""

    def __init__(self, type_, message):
        super().__init__(message)
        self.type = type_


class _Verifier(botocore.auth.SigV4Auth):
    """Signs exactly the headers that it is given, where a client leaves some out."""

    def headers_to_sign(self, request):
        return request.headers


def verify(request, credentials, region, service, now=None):
    """Raises Refused unless `request` was signed with `credentials` for this region and service."""
    claim = _claim(request)
    signed = claim['headers'].split(';')
    _check_headers(request, signed)
    date = _check_date(request, claim, now or datetime.datetime.now(datetime.timezone.utc))
    if claim['region'] != region:
        raise Refused('InvalidSignatureException',
                      "Credential should be scoped to a valid region, not '%s'." % claim['region'])
    if claim['service'] != service:
        raise Refused('InvalidSignatureException',
                      "Credential should be scoped to correct service: '%s'." % service)
    _check_credentials(request, claim, credentials)
    _check_body(request)
    if not hmac.compare_digest(claim['signature'], _signature(request, signed, date, credentials, region, service)):
        raise Refused('InvalidSignatureException',
                      'The request signature we calculated does not match the signature you provided. '
                      'Check your AWS Secret Access Key and signing method. '
                      'Consult the service documentation for details.')


def _claim(request):
    values = request.headers.get_all('Authorization') or []
    if not values:
        raise Refused('MissingAuthenticationTokenException', 'Missing Authentication Token')
    match = AUTHORIZATION.fullmatch(values[0]) if len(values) == 1 else None
    if not match:
        raise Refused('IncompleteSignatureException', 'Authorization header is not as it must be')
    return match


def _check_headers(request, signed):
    """Host, Content-Type and every X-Amz header must be signed, and what is signed must be sent."""
    if signed != sorted(set(signed)):
        raise Refused('IncompleteSignatureException', 'SignedHeaders must be sorted, each once')
    sent = {name.lower() for name in request.headers.keys()}
    must = {'host', 'x-amz-date'} | {name for name in sent if name.startswith('x-amz-') or name == 'content-type'}
    for name in sorted(must - set(signed)):
        raise Refused('InvalidSignatureException', "'%s' must be a signed header" % name)
    for name in sorted(set(signed) - sent):
        raise Refused('InvalidSignatureException', "'%s' is signed but was not sent" % name)


def _check_date(request, claim, now):
    text = request.headers['X-Amz-Date'] or ''
    try:
        date = datetime.datetime.strptime(text, '%Y%m%dT%H%M%SZ').replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise Refused('IncompleteSignatureException', 'Date must be in ISO-8601 basic format') from None
    if text[:8] != claim['date']:
        raise Refused('InvalidSignatureException', 'Date in Credential scope does not match the one of X-Amz-Date')
    if abs(now - date) > SKEW:
        raise Refused('InvalidSignatureException', 'Signature expired: %s is not within 5 min of now' % text)
    return text


def _check_credentials(request, claim, credentials):
    invalid = Refused('UnrecognizedClientException', 'The security token included in the request is invalid.')
    tokens = request.headers.get_all('X-Amz-Security-Token') or []
    if claim['key'] != credentials.access_key_id:
        raise invalid
    if credentials.session_token is None:
        if tokens:
            raise invalid
        return
    if len(tokens) != 1 or not hmac.compare_digest(tokens[0], credentials.session_token):
        raise invalid
    if credentials.expired:
        raise Refused('ExpiredTokenException', 'The security token included in the request is expired')


def _check_body(request):
    """A client may say the body's hash; botocore would believe it, a service does not."""
    said = request.headers.get('X-Amz-Content-Sha256')
    if said is not None and said != hashlib.sha256(request.body).hexdigest():
        raise Refused('InvalidSignatureException', 'X-Amz-Content-Sha256 is not that of the body')


def _signature(request, signed, date, credentials, region, service):
    signer = _Verifier(
        botocore.credentials.Credentials(
            credentials.access_key_id, credentials.secret_access_key, credentials.session_token),
        service, region)
    again = botocore.awsrequest.AWSRequest(
        method=request.method, data=request.body,
        url='http://%s%s' % (request.headers['Host'], request.path))
    for name in signed:
        for value in request.headers.get_all(name):
            again.headers.add_header(name, value)
    again.context['timestamp'] = date
    return signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
