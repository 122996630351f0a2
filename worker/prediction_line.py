"""Where the web hands one image to a predictor and waits for the answer: a line of its own in Redis, which training
and bulk classification never stand in.

Not for work that must not be lost: a request is taken by one predictor at most, and is gone after a few seconds.

| key | holds |
|---|---|
| `tenfold:predictions` | ids of requests in line |
| `tenfold:prediction:<id>` | the image and how to read it, until a predictor takes it |
| `tenfold:prediction:<id>:answer` | the answer, until the web takes it |
| `tenfold:predictor` | there while a predictor runs |
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from redis.exceptions import RedisError

from worker.errors import InvalidSubmission, PredictionFailed, PredictorAway
from worker.redis import REDIS_TIMEOUT_SECONDS, connect_redis

LINE = "tenfold:predictions"
PREDICTOR = "tenfold:predictor"

# A predictor says this often that it is there, and counts as gone after missing that several times: loading a model
# keeps it from saying so for a second or two.
TAKE_SECONDS = 1
PREDICTOR_GONE_SECONDS = 10

AWAY = (
    "No predictor runs, or it is still starting. Try again in a few seconds; if that does not help, start one with "
    "`tenfold up` or `tenfold-predictor`."
)


@dataclass(frozen=True)
class Request:
    """One image to be read. `parameters` are those of `PredictionParameters`, with the model resolved to an id."""

    id: str
    parameters: dict[str, Any]
    image: bytes


class PredictionLine:
    """Both ends of the line; safe to use from many threads.

    Celery's result backend is not used for the answers: it shares one connection among the threads of a web server.

    Args:
        redis_url: the Redis that web and predictors share.
        wait_seconds: how long an answer is waited for.
    """

    def __init__(self, redis_url: str, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._redis = connect_redis(
            redis_url,
            # Redis itself ends a wait, well before the socket does.
            socket_timeout=max(wait_seconds, TAKE_SECONDS) + REDIS_TIMEOUT_SECONDS,
            decode_responses=False,
        )

    def ask(self, image: bytes, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Stand in line and wait for the answer.

        Raises:
            PredictorAway: there is no predictor, or none that answers in time, or no Redis.
            InvalidSubmission: the image cannot be read.
            PredictionFailed: the predictor met an error.
        """
        try:
            if not self.has_predictor():
                raise PredictorAway(AWAY)
            answer = self._ask(uuid4().hex, image, parameters)
        except RedisError as error:
            raise PredictorAway("Redis is away, and with it the way to the predictor. Try again soon.") from error
        if answer is None:
            raise PredictorAway(
                f"The predictor has not answered within {self._wait_seconds:g} seconds: it has too much to do, "
                "or hangs. Try again soon; its log says more."
            )
        if "refused" in answer:
            raise InvalidSubmission("file", answer["refused"])
        if "failed" in answer:
            raise PredictionFailed(answer["failed"])
        return answer

    def has_predictor(self) -> bool:
        """Whether a predictor has said lately that it is there.

        Raises:
            RedisError: Redis is away.
        """
        return bool(self._redis.exists(PREDICTOR))

    def take(self) -> Request | None:
        """The next request, for the predictor that calls this; None when there is none for a second.

        Raises:
            RedisError: Redis is away.
        """
        self._redis.set(PREDICTOR, "here", ex=PREDICTOR_GONE_SECONDS)
        taken = cast("tuple[bytes, bytes] | None", self._redis.blpop([LINE], timeout=TAKE_SECONDS))
        if taken is None:
            return None
        request_id = taken[1].decode()
        pipeline = self._redis.pipeline()
        pipeline.hmget(_key(request_id), "parameters", "image")
        pipeline.delete(_key(request_id))
        (parameters, image), _ = pipeline.execute()
        if parameters is None:
            return None  # it has expired: nobody waits for it any more
        return Request(request_id, json.loads(parameters), image)

    def answer(self, request: Request, answer: Mapping[str, Any]) -> None:
        """Hand an answer to whoever waits for it; it is forgotten soon if nobody does.

        Raises:
            RedisError: Redis is away.
        """
        pipeline = self._redis.pipeline()
        pipeline.rpush(_answer_key(request.id), json.dumps(answer))
        pipeline.expire(_answer_key(request.id), PREDICTOR_GONE_SECONDS)
        pipeline.execute()

    def _ask(self, request_id: str, image: bytes, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        milliseconds = round(self._wait_seconds * 1000)
        pipeline = self._redis.pipeline()
        pipeline.hset(_key(request_id), mapping={"parameters": json.dumps(dict(parameters)), "image": image})
        pipeline.pexpire(_key(request_id), milliseconds)
        pipeline.rpush(LINE, request_id)
        pipeline.pexpire(LINE, milliseconds)
        pipeline.execute()
        answered = cast(
            "tuple[bytes, bytes] | None", self._redis.blpop([_answer_key(request_id)], timeout=self._wait_seconds)
        )
        if answered is None:
            return None
        answer: dict[str, Any] = json.loads(answered[1])
        return answer


def _key(request_id: str) -> str:
    return f"tenfold:prediction:{request_id}"


def _answer_key(request_id: str) -> str:
    return f"{_key(request_id)}:answer"
