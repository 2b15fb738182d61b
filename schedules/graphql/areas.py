"""Which area of `workspaces.scopes` a type belongs to, and each mutation: what a token or an app must be let into.

A type of another area that is reached through a relation wants that area's scope too. Tests hold this table against the schema,
so that nothing new is left out of it.
"""

from __future__ import annotations

# type -> area; types that only carry others (connections, edges) are those of what they carry
TYPES: dict[str, str] = {
    "Workspace": "workspace",
    "Member": "workspace",
    "Account": "accounts",
    "AccountGroup": "accounts",
    "AccountHealth": "accounts",
    "SignInApp": "accounts",
    "AccountTest": "accounts",
    "Budget": "accounts",
    "Forecast": "accounts",
    "Content": "content",
    "ContentMedium": "content",
    "ContentVariant": "content",
    "ContentVersion": "content",
    "Campaign": "content",
    "Template": "content",
    "HashtagGroup": "content",
    "Media": "media",
    "MediaFolder": "media",
    "Milestone": "schedules",
    "Schedule": "schedules",
    "Dependency": "schedules",
    "Target": "schedules",
    "Rule": "schedules",
    "Retry": "schedules",
    "Occurrence": "schedules",
    "RulePreview": "schedules",
    "ScheduleHealth": "schedules",
    "Obstacle": "schedules",
    "CalendarConnection": "schedules",
    "CalendarEvent": "schedules",
    "MovedEvent": "schedules",
    "Job": "jobs",
    "Attempt": "jobs",
    "RecoveryConnection": "jobs",
    "RecoveryCase": "jobs",
    "Known": "jobs",
    "DeskVerb": "jobs",
    "Reading": "analytics",
    "Review": "reviews",
    "ReviewComment": "reviews",
    "ReviewPolicy": "reviews",
    "Notification": "notifications",
    "AuditEntry": "events",
    "Status": "events",
    "Queue": "events",
    "Alarm": "events",
}
# what anybody may know who is let in: who asks, and parts of other types
OPEN = frozenset({"Viewer", "PageInfo", "Actor", "Thing", "CalendarAccount", "CalendarEdge", "RecoveryEdge"})
# mutation -> area in which it writes
MUTATIONS: dict[str, str] = {
    "createContent": "content",
    "updateContent": "content",
    "createSchedule": "schedules",
    "updateSchedule": "schedules",
    "activateSchedule": "schedules",
    "pauseSchedule": "schedules",
    "resumeSchedule": "schedules",
    "archiveSchedule": "schedules",
    "restoreSchedule": "schedules",
    "cloneSchedule": "schedules",
    "shiftSchedule": "schedules",
    "publishNow": "schedules",
    "moveOccurrence": "schedules",
    "retryJob": "jobs",
    "cancelJob": "jobs",
    "runJobNow": "jobs",
    "confirmJob": "jobs",
    "publishJobAgain": "jobs",
    "dismissJob": "jobs",
    "submitForApproval": "reviews",
    "approve": "reviews",
    "requestChanges": "reviews",
    "withdrawReview": "reviews",
    "testAccount": "accounts",
}


def of_type(name: str) -> str:
    """The area of a type, for a connection that of what it holds; empty where there is nothing to be let into."""
    return TYPES.get(name) or TYPES.get(name.removesuffix("CursorConnection"), "")
