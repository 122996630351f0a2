"""httpx's calls for tests, which wait for an answer as long as a busy machine needs."""

from functools import partial

import httpx

from tests.waiting import PATIENCE_SECONDS

get = partial(httpx.get, timeout=PATIENCE_SECONDS)
head = partial(httpx.head, timeout=PATIENCE_SECONDS)
options = partial(httpx.options, timeout=PATIENCE_SECONDS)
patch = partial(httpx.patch, timeout=PATIENCE_SECONDS)
post = partial(httpx.post, timeout=PATIENCE_SECONDS)
put = partial(httpx.put, timeout=PATIENCE_SECONDS)
delete = partial(httpx.delete, timeout=PATIENCE_SECONDS)
request = partial(httpx.request, timeout=PATIENCE_SECONDS)
stream = partial(httpx.stream, timeout=PATIENCE_SECONDS)
