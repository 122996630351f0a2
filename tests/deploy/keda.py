"""The part of KEDA's API (2.20) that the overlay uses, as its reference describes it; any other field is refused.

No package that can be installed here ships KEDA's schemas. `kubectl apply --dry-run=server` asks the cluster's own.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Number = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class AuthenticationRef(Part):
    name: Name
    kind: Literal["TriggerAuthentication", "ClusterTriggerAuthentication"] = "TriggerAuthentication"


class PostgresqlMetadata(Part):
    """Values are strings, whatever they mean."""

    host: str
    port: Number
    userName: str
    dbName: str
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
    query: str
    targetQueryValue: Number
    activationTargetQueryValue: Number = "0"


class PostgresqlTrigger(Part):
    type: Literal["postgresql"]
    metadata: PostgresqlMetadata
    authenticationRef: AuthenticationRef


class ScaleTarget(Part):
    name: Name
    kind: str = "Deployment"
    apiVersion: str = "apps/v1"


class ScaledObjectSpec(Part):
    scaleTargetRef: ScaleTarget
    triggers: list[PostgresqlTrigger] = Field(min_length=1)
    pollingInterval: int = Field(30, ge=1)
    cooldownPeriod: int = Field(300, ge=0)
    minReplicaCount: int = Field(0, ge=0)
    maxReplicaCount: int = Field(100, ge=1)


class Rollout(Part):
    strategy: Literal["default", "gradual"]


class ScalingStrategy(Part):
    strategy: Literal["default", "custom", "accurate", "eager"]
    pendingPodConditions: list[str] = []


class ScaledJobSpec(Part):
    """`jobTargetRef` is a Job's own specification: Kubernetes' schema has it."""

    jobTargetRef: dict[str, Any]
    triggers: list[PostgresqlTrigger] = Field(min_length=1)
    pollingInterval: int = Field(30, ge=1)
    minReplicaCount: int = Field(0, ge=0)
    maxReplicaCount: int = Field(100, ge=1)
    successfulJobsHistoryLimit: int = Field(100, ge=0)
    failedJobsHistoryLimit: int = Field(100, ge=0)
    rollout: Rollout
    scalingStrategy: ScalingStrategy


class SecretTargetRef(Part):
    parameter: str
    name: Name
    key: str


class TriggerAuthenticationSpec(Part):
    secretTargetRef: list[SecretTargetRef] = Field(min_length=1)


SPECS: dict[str, type[Part]] = {
    "ScaledObject": ScaledObjectSpec,
    "ScaledJob": ScaledJobSpec,
    "TriggerAuthentication": TriggerAuthenticationSpec,
}
