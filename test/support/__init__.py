"""What the tests stand on: the server, its databases and roles, the trigger's process."""

from .cluster import Cluster
from .database import Database, Server
from .trigger import Trigger, run_once

__all__ = ['Cluster', 'Database', 'Server', 'Trigger', 'run_once']
