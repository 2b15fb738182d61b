"""The tables of the product's centre. Fields and constraints only; services write, querysets read."""

from schedules.models.approval import Review, ReviewComment, ReviewLink, ReviewPolicy
from schedules.models.audit import AuditChain, AuditLog
from schedules.models.bulk import BulkItem, BulkRun
from schedules.models.composer import ComposerDraft, ContentTemplate, ContentVersion, HashtagGroup, PostingSlot
from schedules.models.content import Campaign, ContentItem, ContentMedia, ContentVariant
from schedules.models.engagement import Engagement, Reading
from schedules.models.engine import Duty, EngineControl, Worker
from schedules.models.integration import EventCursor, IdempotencyKey
from schedules.models.jobs import Attempt, Job, JobCheck, Occurrence
from schedules.models.planning import Dependency, Milestone
from schedules.models.refresh import CredentialRefresh
from schedules.models.schedules import Schedule, ScheduleException, Target
from schedules.models.views import SavedView

__all__ = [
    "Attempt",
    "AuditChain",
    "AuditLog",
    "BulkItem",
    "BulkRun",
    "Campaign",
    "ComposerDraft",
    "ContentItem",
    "ContentMedia",
    "ContentTemplate",
    "ContentVariant",
    "ContentVersion",
    "CredentialRefresh",
    "Dependency",
    "Duty",
    "Engagement",
    "EngineControl",
    "EventCursor",
    "HashtagGroup",
    "IdempotencyKey",
    "Job",
    "JobCheck",
    "Milestone",
    "Occurrence",
    "PostingSlot",
    "Reading",
    "Review",
    "ReviewComment",
    "ReviewLink",
    "ReviewPolicy",
    "SavedView",
    "Schedule",
    "ScheduleException",
    "Target",
    "Worker",
]
