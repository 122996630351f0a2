"""The queue in Redis by which the web sends single images to predictors and waits for answers.

It is separate from the queue of jobs. Requests are not durable: they expire after a few seconds.

| key | holds |
|---|---|
| `tenfold:predictions` | ids of queued requests |
| `tenfold:prediction:<id>` | the image and how to read it, until a predictor takes it |
| `tenfold:prediction:<id>:answer` | the answer, until the web takes it |
| `tenfold:predictor` | exists while a predictor is online |
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from redis.exceptions import RedisError

from tenfold.worker.errors import InvalidSubmission, NoPredictor, PredictionFailed, PredictorAway
from tenfold.worker.redis import REDIS_TIMEOUT_SECONDS, connect_redis

QUEUE = "tenfold:predictions"
PREDICTOR = "tenfold:predictor"

# A predictor renews its key this often; the key expires later, since loading a model takes a second or two.
TAKE_SECONDS = 1
PREDICTOR_GONE_SECONDS = 10

AWAY = (
    "No predictor online, or it is still starting. Try again in a few seconds; if that does not help, start one with "
    "`tenfold up` or `tenfold-predictor`."
)


@dataclass(frozen=True)
class Request:
    """One image to classify. `parameters` are `PredictionParameters`, with the id of the model."""

    id: str
    parameters: dict[str, Any]
    image: bytes


class PredictionQueue:
    """Both ends of the queue; thread-safe.

    Celery's result backend is not used: it shares one connection among the threads of a web server.

    Args:
        redis_url: the Redis that web and predictors share.
        wait_seconds: how long to wait for an answer.
    """

    def __init__(self, redis_url: str, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._redis = connect_redis(
            redis_url,
            # Longer than Redis blocks for an answer.
            socket_timeout=max(wait_seconds, TAKE_SECONDS) + REDIS_TIMEOUT_SECONDS,
            decode_responses=False,
        )

    def ask(self, image: bytes, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Queue an image and wait for the answer.

        Raises:
            PredictorAway: no predictor is online or answers in time, or Redis is unavailable.
            InvalidSubmission: the image cannot be read.
            PredictionFailed: an error occurred in the predictor.
        """
        try:
            if not self.has_predictor():
                raise NoPredictor(AWAY)
            answer = self._ask(uuid4().hex, image, parameters)
        except RedisError as error:
            raise PredictorAway("Redis is unavailable, so the predictor cannot be reached. Try again later.") from error
        if answer is None:
            raise PredictorAway(
                f"The predictor has not answered within {self._wait_seconds:g} seconds: it is overloaded or hangs. "
                "Try again later, and see its log."
            )
        if "refused" in answer:
            raise InvalidSubmission("file", answer["refused"])
        if "failed" in answer:
            raise PredictionFailed(answer["failed"])
        return answer

    def has_predictor(self) -> bool:
        """Whether a predictor is online.

        Raises:
            RedisError: Redis is unavailable.
        """
        return bool(self._redis.exists(PREDICTOR))

    def take(self) -> Request | None:
        """Take the next request; None if there is none for a second.

        Raises:
            RedisError: Redis is unavailable.
        """
        self._redis.set(PREDICTOR, "here", ex=PREDICTOR_GONE_SECONDS)
        taken = cast("tuple[bytes, bytes] | None", self._redis.blpop([QUEUE], timeout=TAKE_SECONDS))
        if taken is None:
            return None
        request_id = taken[1].decode()
        pipeline = self._redis.pipeline()
        pipeline.hmget(_key(request_id), "parameters", "image")
        pipeline.delete(_key(request_id))
        (parameters, image), _ = pipeline.execute()
        if parameters is None:
            return None  # it has expired
        return Request(request_id, json.loads(parameters), image)

    def answer(self, request: Request, answer: Mapping[str, Any]) -> None:
        """Send an answer to the waiting web process; it expires soon.

        Raises:
            RedisError: Redis is unavailable.
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
        pipeline.rpush(QUEUE, request_id)
        pipeline.pexpire(QUEUE, milliseconds)
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
