"""How often one may call: each client by the second, and by the minute each address that is nobody known yet.

Windows are fixed. Counters live in a Redis that all processes share, or else in each process (see CACHES).
"""

import math
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from ecommerce.logging import client_name

log = structlog.get_logger(__name__)

SECOND, MINUTE = 1, 60
NETWORK_BITS = 64  # of IPv6: one customer of a provider has all the addresses of such a network
PAUSE_SECONDS = 5.0  # without Redis, before it is tried again
redis_is_away_until = 0.0


@dataclass(frozen=True)
class Tally:
    """How much of its quota somebody has used in this window, with the call that is being served."""

    policy: str
    quota: int
    window: int
    used: int
    seconds_left: int

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.quota

    def headers(self) -> dict[str, str]:
        """As in draft-ietf-httpapi-ratelimit-headers."""
        remaining = max(self.quota - self.used, 0)
        headers = {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={self.window}',
            "RateLimit": f'"{self.policy}";r={remaining};t={self.seconds_left}',
        }
        return headers | {"Retry-After": str(self.seconds_left)} if self.is_exceeded else headers


def tally(policy: str, *, who: str, quota: int, window: int) -> Tally:
    """Count one call of somebody."""
    now = time.time()
    number, passed = divmod(now, window)
    # Kept a window longer than needed: no server's clock makes a counter vanish that is still in use.
    used = count(f"{policy}:{who}:{int(number)}", keep=2 * window)
    return Tally(policy.partition("-")[0], quota, window, used, seconds_left=math.ceil(window - passed))


def count(key: str, *, keep: int) -> int:
    """Never fails: without Redis each process counts for itself."""
    global redis_is_away_until
    if settings.CACHE_URL and time.monotonic() >= redis_is_away_until:
        from redis.exceptions import RedisError  # whose memory only a shop with a Redis has to spend

        try:
            return count_in("shared", key, keep=keep)
        except RedisError as error:
            redis_is_away_until = time.monotonic() + PAUSE_SECONDS
            log.warning("redis_away", error=type(error).__name__, detail="Each process counts calls for itself.")
    return count_in("in_process", key, keep=keep)


def count_in(cache: str, key: str, *, keep: int) -> int:
    if caches[cache].add(key, 1, timeout=keep):
        return 1
    try:
        return caches[cache].incr(key)
    except ValueError:  # thrown out a moment ago, for lack of room
        return 1


class ClientThrottle(BaseThrottle):
    """A client by the second. Whom nobody knows is counted when refused, and whom API_OPEN lets in is not."""

    def allow_request(self, request: Request, view: Any) -> bool:
        own_quota = getattr(request.user, "requests_per_second", None)
        quota = settings.RATE_LIMIT if own_quota is None else own_quota
        if request.user is None or not quota:
            return True
        used = tally("client", who=str(client_name(request)), quota=quota, window=SECOND)
        view.headers |= used.headers()
        return not used.is_exceeded

    def wait(self) -> float:
        return SECOND


def tally_of_address(request: HttpRequest, *, of: str) -> Tally | None:
    """Count one call of an address in the bucket of this name. None where addresses have no limit."""
    if not settings.ADDRESS_RATE_LIMIT:
        return None
    return tally(f"address-{of}", who=address_of(request), quota=settings.ADDRESS_RATE_LIMIT, window=MINUTE)


def address_of(request: HttpRequest) -> str:
    """Where a call comes from, as nobody can forge it: what the outermost of our own proxies saw."""
    chain = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    trusted = settings.TRUST_PROXY
    forwarded = parsed(chain[-trusted]) if 0 < trusted <= len(chain) else None
    address = forwarded or parsed(request.META.get("REMOTE_ADDR", ""))
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> NETWORK_BITS << NETWORK_BITS))
    return str(address or "unknown")


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None
