"""gunicorn -c deploy/gunicorn.py ecommerce.wsgi

Sized from the environment. Each thread may keep one database connection: workers x threads must stay below the
server's max_connections, with room for commands.
"""

import os
from typing import Any

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings")

bind = f"{settings.BIND_ADDRESS}:{settings.PORT}"
# A process for each processor, since Python runs one thread of a process at a time. Of its threads one serves, and
# another only where that one takes long or waits for a database elsewhere (ecommerce.serving), so more of them cost
# nothing but connections.
workers = settings.WEB_CONCURRENCY
worker_class = "ecommerce.serving.LeaderFollowersWorker"
threads = settings.WEB_THREADS

# A request that still runs when it is asked to stop has this long; PostgreSQL ends statements after 5 s.
graceful_timeout = 30
timeout = 30
keepalive = 5
# Spreads the load and gives memory back that a large answer took.
max_requests = 20_000
max_requests_jitter = 2_000

worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
control_socket_disable = True
# What a proxy says of a request is for Django to believe or not (SECURE_PROXY_SSL_HEADER), so nobody's headers are read
# here. A list of addresses that is not "*" is compared with each request's, at the cost of parsing that.
forwarded_allow_ips = "*"
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""  # a client could send SCRIPT_NAME through the proxy
# The request line is ours (ecommerce.logging); gunicorn's own messages take the same format.
logger_class = "ecommerce.serving.Logger"
logconfig_dict = settings.LOGGING


def child_exit(_server: Any, worker: Any) -> None:
    worker.leave()
