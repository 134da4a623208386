"""Stand-ins, on loopback, for what the trigger talks to in production."""

<<<<<<< HEAD
from .dns import NameServer
=======
from .cloudformation import CloudFormation
>>>>>>> main
from .http_server import Answer, LoopbackServer, Request
from .postgres import PostgresProxy
from .runtime_api import Invocation, Outcome, RuntimeApi
from .secrets_manager import Credentials, SecretsManager

__all__ = [
<<<<<<< HEAD
    'Answer', 'Credentials', 'Invocation', 'LoopbackServer', 'NameServer', 'Outcome',
=======
    'Answer', 'CloudFormation', 'Credentials', 'Invocation', 'LoopbackServer', 'Outcome',
>>>>>>> main
    'PostgresProxy', 'Request', 'RuntimeApi', 'SecretsManager',
]
