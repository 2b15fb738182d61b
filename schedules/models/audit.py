"""The history: one row for each change, chained by hash. Written by `services.audit` only, and only added to."""

from __future__ import annotations

from django.db import models

from schedules.querysets.audit import AuditLogQuerySet


class AuditLog(models.Model):
    """A fact. `hash` covers the row and the hash before it in the same chain, so that a changed or missing row shows.

    One chain a workspace (0 for what belongs to none), so that teams do not wait for each other. The workspace is a
    number and not a foreign key: history outlives what it tells of.
    """

    chain = models.PositiveBigIntegerField()
    seq = models.PositiveBigIntegerField()
    workspace_ref = models.PositiveBigIntegerField(null=True, blank=True)
    at = models.DateTimeField()
    action = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=150)
    object_type = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=300, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = AuditLogQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "audit log entry"
        verbose_name_plural = "audit log"
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="audit_place")]
        indexes = [
            # the history of one thing
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_of_object"),
            # the history of a workspace
            models.Index(fields=["workspace_ref", "-id"], name="audit_of_workspace"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action}"


class AuditChain(models.Model):
    """The end of one chain: what the next row continues, and what tells that rows at the end are missing."""

    chain = models.PositiveBigIntegerField(primary_key=True)
    length = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["chain"]

    def __str__(self) -> str:
        return f"chain {self.chain}: {self.length} rows"
