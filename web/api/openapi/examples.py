"""Example requests and answers for the OpenAPI document. A test checks them against the schemas."""

from tenfold.trainer.input_spec import InputRecord
from tenfold.web.api.documents.aliases import AliasChangeDocument, AliasDocument
from tenfold.web.api.documents.comparisons import DifferenceItem
from tenfold.web.api.documents.dataset_differences import DatasetDifferences
from tenfold.web.api.documents.datasets import DatasetDocument, DatasetItem
from tenfold.web.api.documents.jobs import FileItem, JobDocument, JobItem
from tenfold.web.api.documents.models import ModelDocument
from tenfold.web.api.documents.predictions import PredictionDocument
from tenfold.web.api.documents.reviews import ReviewItem
from tenfold.web.api.documents.uploads import UploadDocument
from tenfold.web.api.documents.webhooks import DeliveryDocument, WebhookDocument
from tenfold.web.api.documents.workers import WorkerDocument
from tenfold.worker.db.states import JobKind, JobState, StepKind

ID = "01m7y99wtf1q6g3gcrsjzrqv9n"
MODEL_ID = "01m7y8q3v0kx2m4d9p7c5s1r6t"
CREATED = "2026-11-21T10:15:00.000Z"
ENDED = "2026-11-21T10:15:09.250Z"

TRAINING = {"recipe": "dropout-128", "epochs": 5, "seed": 7}
SWEEP = {"recipe": "dropout-128", "space": {"dropout": ["0", "0.2", "0.4"]}, "method": "grid", "trials": 3}
REVIEW = {"classification": ID, "dataset": "corrected-march"}
COMPARISON = {"models": [MODEL_ID, ID], "on": "mnist"}

TRAINING_JOB: JobDocument = {
    "id": ID,
    "kind": JobKind.TRAINING,
    "sweep": None,
    "owner": None,
    "state": JobState.RUNNING,
    "parameters": {"recipe": "dropout-128", "epochs": 10, "batch_size": 32, "seed": 1, "dataset": "mnist"},
    "source": None,
    "created_at": CREATED,
    "started_at": "2026-11-21T10:15:00.120Z",
    "finished_at": None,
    "progress": {
        "done": 3,
        "total": 10,
        "unit": "epochs",
        "fraction": 0.34,
        "eta_seconds": 4.1,
        "detail": {"epoch": 4, "loss": 0.087, "accuracy": 0.972},
    },
    "summary": None,
    "error": None,
    "links": {
        "self": f"/api/v1/jobs/{ID}",
        "files": f"/api/v1/jobs/{ID}/files",
        "events": f"/api/v1/jobs/{ID}/events",
    },
}

CLASSIFICATION_JOB: JobDocument = {
    **TRAINING_JOB,
    "kind": JobKind.CLASSIFICATION,
    "state": JobState.QUEUED,
    "parameters": {"model": [MODEL_ID], "normalize": "model", "polarity": "auto", "top_k": 3, "max_error_rate": 0.005},
    "source": {"name": "digits.zip", "bytes": 184_320, "sha256": "9f2b7c…"},
    "started_at": None,
    "progress": {"done": 0, "total": 500, "unit": "images", "fraction": 0.0, "eta_seconds": None, "detail": {}},
    "links": {**TRAINING_JOB["links"], "review": f"/api/v1/jobs/{ID}/review"},
}

JOB_ITEM: JobItem = {
    "id": ID,
    "kind": JobKind.TRAINING,
    "sweep": None,
    "owner": None,
    "state": JobState.SUCCEEDED,
    "parameters": {"recipe": "dropout-128", "epochs": 10, "seed": 1, "dataset": "mnist"},
    "source": None,
    "created_at": CREATED,
    "started_at": "2026-11-21T10:15:00.120Z",
    "finished_at": ENDED,
    "progress": {"done": 10, "total": 10, "unit": "epochs"},
    "summary": {"model": ID, "test_accuracy": 0.9791},
    "error": None,
    "links": {"self": f"/api/v1/jobs/{ID}"},
}

MODEL: ModelDocument = {
    "id": MODEL_ID,
    "recipe": "dropout-128",
    "dataset": "mnist",
    "parameters": {"epochs": 10, "batch_size": 32, "seed": 1},
    "metrics": {"test_accuracy": 0.9791, "test_loss": 0.0712, "parameter_count": 101_770},
    "created_at": ENDED,
    "aliases": ["production"],
    "trial": False,
    "links": {
        "self": f"/api/v1/models/{MODEL_ID}",
        "files": f"/api/v1/models/{MODEL_ID}/files",
        "aliases": f"/api/v1/models/{MODEL_ID}/aliases",
    },
}

ALIAS: AliasDocument = {
    "name": "production",
    "model": MODEL_ID,
    "version": 3,
    "changed_at": ENDED,
    "changed_by": "anna",
    "reason": "Better by 0.31 points on scans of March.",
    "links": {
        "self": "/api/v1/aliases/production",
        "model": f"/api/v1/models/{MODEL_ID}",
        "changes": "/api/v1/aliases/production/changes",
    },
}

ALIAS_CHANGE: AliasChangeDocument = {
    "alias": "production",
    "number": 3,
    "previous": ID,
    "model": MODEL_ID,
    "changed_at": ENDED,
    "changed_by": "anna",
    "reason": "Better by 0.31 points on scans of March.",
    "restores": None,
}

FILE: FileItem = {"name": "results.csv", "bytes": 40_960, "href": f"/api/v1/jobs/{ID}/files/results.csv"}

INPUT: InputRecord = {
    "preprocessing": "digit",
    "height": 28,
    "width": 28,
    "channels": 1,
    "scaling": "0-1",
    "orientation": "upright",
    "reason": "MNIST's images are in the format that the digit normalizer produces.",
}

DATASET_ITEM: DatasetItem = {
    "name": "mnist",
    "title": "MNIST",
    "classes": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    "train_images": 60_000,
    "test_images": 10_000,
    "input": INPUT,
    "content_sha256": "f2baaa…",
    "warnings": [],
    "builtin": True,
    "ready": True,
    "links": {"self": "/api/v1/datasets/mnist", "preview": "/api/v1/datasets/mnist/preview.png"},
}

DATASET_DIFFERENCES: DatasetDifferences = {
    "a": {"name": "letters", "content_sha256": "5ac1e0…", "train_images": 5000, "test_images": 1000},
    "b": {"name": "letters-2", "content_sha256": "b71f22…", "train_images": 5000, "test_images": 1000},
    "identical": False,
    "preprocessing_differs": False,
    "classes_added": [],
    "classes_removed": [],
    "same": 6000,
    "added": {"count": 0, "items": []},
    "removed": {"count": 0, "items": []},
    "relabeled": {
        "count": 1,
        "items": [
            {
                "a": {
                    "part": "train",
                    "index": 17,
                    "label": "I",
                    "links": {"picture": "/api/v1/datasets/letters/images/train/17.png"},
                },
                "b": {
                    "part": "train",
                    "index": 17,
                    "label": "l",
                    "links": {"picture": "/api/v1/datasets/letters-2/images/train/17.png"},
                },
            }
        ],
    },
    "moved": {"count": 0, "items": []},
    "summary": "letters-2 against letters: 1 image with another label; 6,000 images in both.",
}

DATASET: DatasetDocument = {**DATASET_ITEM, "report": None}

PREDICTION: PredictionDocument = {
    "prediction": "7",
    "confidence": 0.998,
    "runner_up": {"prediction": "9", "confidence": 0.001},
    "probabilities": {"1": 0.001, "7": 0.998, "9": 0.001},
    "quality": None,
    "preprocessing": "digit",
    "normalization": "mnist",
    "polarity": "dark-on-light",
    "model": MODEL_ID,
    "picture": "data:image/png;base64,…",
    "milliseconds": 8.2,
}

REVIEW_ITEM: ReviewItem = {
    "rank": 0,
    "row": 17,
    "name": "7/00017.png",
    "prediction": "1",
    "confidence": 0.41,
    "runner_up": "7",
    "runner_up_confidence": 0.38,
    "quality": None,
    "novelty": 0.6,
    "true_label": "7",
    "reason": "Answers with a confidence of 92.0 % or less are reviewed.",
    "correction": {"label": "7", "corrected_at": ENDED},
    "links": {
        "self": f"/api/v1/jobs/{ID}/review/17",
        "picture": f"/api/v1/jobs/{ID}/review/17/picture",
        "model_input": f"/api/v1/jobs/{ID}/review/17/picture?view=model_input",
    },
}

DIFFERENCE: DifferenceItem = {
    "rank": 0,
    "row": 17,
    "name": "test image 17",
    "true_label": "7",
    "answers": [
        {"name": "A", "model": MODEL_ID, "prediction": "1", "confidence": 0.93, "right": False},
        {"name": "B", "model": ID, "prediction": "7", "confidence": 0.88, "right": True},
    ],
    "links": {"picture": f"/api/v1/jobs/{ID}/differences/0/picture"},
}

UPLOAD: UploadDocument = {
    "id": ID,
    "name": "scans.zip",
    "bytes": 734_003_200,
    "received_bytes": 52_428_800,
    "complete": False,
    "expires_at": "2026-11-22T10:15:00.000Z",
    "links": {"self": f"/api/v1/uploads/{ID}"},
}

WEBHOOK: WebhookDocument = {
    "id": ID,
    "url": "https://example.org/tenfold",
    "kinds": [JobKind.CLASSIFICATION],
    "created_at": CREATED,
    "links": {"self": f"/api/v1/webhooks/{ID}", "deliveries": f"/api/v1/webhooks/{ID}/deliveries"},
}

DELIVERY: DeliveryDocument = {
    "id": MODEL_ID,
    "event": "job.succeeded",
    "job": ID,
    "state": "pending",
    "attempts": 2,
    "created_at": CREATED,
    "delivered_at": None,
    "next_attempt_at": "2026-11-21T10:15:40.000Z",
    "error": "answered with 502",
}

EVENTS = """id: 5f1c0a…
event: progress
data: {"id": "01m7y99wtf1q6g3gcrsjzrqv9n", "state": "running", "progress": {"done": 3, "total": 10}}

id: 9e77d2…
event: end
data: {"id": "01m7y99wtf1q6g3gcrsjzrqv9n", "state": "succeeded", "progress": {"done": 10, "total": 10}}
"""

WORKER: WorkerDocument = {
    "name": "workshop-4711",
    "role": "worker",
    "host": "workshop",
    "pid": 4711,
    "version": "0.2.0",
    "started_at": "2026-11-21T08:00:00.000Z",
    "device": "CPU",
    "memory_bytes": 734_003_200,
    "gpu_memory_bytes": None,
    "task": {
        "job": ID,
        "step": StepKind.TRAIN,
        "position": 0,
        "started_at": "2026-11-21T10:15:00.120Z",
        "links": {"job": f"/api/v1/jobs/{ID}"},
    },
}
