"""Stand-ins, on loopback, for what the trigger talks to in production."""

from .cloudformation import CloudFormation
from .cutter import Cutter
from .dns import NameServer
from .http_server import Answer, LoopbackServer, Request
from .https_proxy import HttpsProxy
from .parameters_secrets import ParametersAndSecrets
from .postgres import PostgresProxy
from .runtime_api import Invocation, Outcome, RuntimeApi
from .secrets_manager import Credentials, SecretsManager

__all__ = [
    'Answer', 'CloudFormation', 'Credentials', 'Cutter', 'HttpsProxy', 'Invocation', 'LoopbackServer', 'NameServer', 'Outcome',
    'ParametersAndSecrets', 'PostgresProxy', 'Request', 'RuntimeApi', 'SecretsManager',
]
