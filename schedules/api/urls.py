"""The addresses under /api/v1/."""

from django.urls import path, re_path

from schedules.api.views import (
    accounts,
    analytics,
    bulk,
    calendar,
    connecting,
    content,
    exports,
    jobs,
    library,
    media,
    notifications,
    occurrences,
    planning,
    preflight,
    recovery,
    reviews,
    schedules,
    slots,
    system,
)

app_name = "api"
urlpatterns = [
    path("accounts/", accounts.AccountList.as_view(), name="accounts"),
    path("accounts/sign-in/", connecting.SignIn.as_view(), name="account_sign_in"),
    path("accounts/<uuid:public_id>/", accounts.AccountDetail.as_view(), name="account"),
    path("accounts/<uuid:public_id>/credentials/", accounts.AccountCredentials.as_view(), name="account_credentials"),
    path("accounts/<uuid:public_id>/abilities/", connecting.AccountAbilities.as_view(), name="account_abilities"),
    path("accounts/<uuid:public_id>/limits/", connecting.AccountLimits.as_view(), name="account_limits"),
    path("accounts/<uuid:public_id>/health/", connecting.AccountHealth.as_view(), name="account_health"),
    path("accounts/<uuid:public_id>/posting-times/", slots.PostingTimes.as_view(), name="account_posting_times"),
    path("accounts/<uuid:public_id>/slots/", slots.NextSlots.as_view(), name="account_slots"),
    path("platforms/", connecting.Platforms.as_view(), name="platforms"),
    path("platforms/<slug:kind>/", connecting.PlatformDetail.as_view(), name="platform"),
    path("queue/", slots.Queue.as_view(), name="queue"),
    path("slots/find/", slots.FindSlots.as_view(), name="slots_find"),
    path("conflicts/", slots.Conflicts.as_view(), name="conflicts"),
    path("conflicts/check/", slots.ConflictCheck.as_view(), name="conflicts_check"),
    *(
        path(
            f"accounts/<uuid:public_id>/{verb}/",
            accounts.AccountVerb.as_view(verb=verb),
            name=f"account_{verb.replace('-', '_')}",
        )
        for verb in accounts.VERBS
    ),
    path("account-groups/", accounts.GroupList.as_view(), name="account_groups"),
    path("account-groups/<uuid:public_id>/", accounts.GroupDetail.as_view(), name="account_group"),
    path("sign-in-apps/", accounts.AppList.as_view(), name="sign_in_apps"),
    path("sign-in-apps/<uuid:public_id>/", accounts.AppDetail.as_view(), name="sign_in_app"),
    path("content/", content.ContentList.as_view(), name="content_list"),
    path("content/check/", preflight.ContentCheck.as_view(), name="content_check"),
    path("content/preview/", occurrences.ContentPreview.as_view(), name="content_preview"),
    path("content/<uuid:public_id>/", content.ContentDetail.as_view(), name="content"),
    path("media/", media.MediaList.as_view(), name="media_list"),
    path("media/folders/", media.FolderList.as_view(), name="media_folders"),
    path("media/folders/<uuid:public_id>/", media.FolderRow.as_view(), name="media_folder"),
    path("media/<uuid:public_id>/", media.MediaRow.as_view(), name="media"),
    path("media/<uuid:public_id>/usage/", media.MediaUsage.as_view(), name="media_usage"),
    path("media/<uuid:public_id>/restore/", media.MediaRestore.as_view(), name="media_restore"),
    path("content/<uuid:public_id>/versions/", library.Versions.as_view(), name="content_versions"),
    path("content/<uuid:public_id>/versions/<int:number>/restore/", library.Restore.as_view(), name="version_restore"),
    path("templates/", library.TemplateList.as_view(), name="templates"),
    path("templates/<uuid:public_id>/", library.TemplateDetail.as_view(), name="template"),
    path("hashtag-groups/", library.HashtagGroupList.as_view(), name="hashtag_groups"),
    path("hashtag-groups/<uuid:public_id>/", library.HashtagGroupDetail.as_view(), name="hashtag_group"),
    path("schedules/", schedules.ScheduleList.as_view(), name="schedules"),
    path("schedules/export/", exports.ScheduleExport.as_view(), name="schedules_export"),
    path("jobs/export/", exports.JobExport.as_view(), name="jobs_export"),
    path("calendar/export/", exports.CalendarExport.as_view(), name="calendar_export"),
    path("analytics/summary/", analytics.Summary.as_view(), name="analytics_summary"),
    path("analytics/executions/", analytics.Executions.as_view(), name="analytics_executions"),
    path("analytics/accounts/", analytics.Accounts.as_view(), name="analytics_accounts"),
    path("analytics/posts/", analytics.Posts.as_view(), name="analytics_posts"),
    path("reports/activity/", analytics.Activity.as_view(), name="report_activity"),
    path("schedules/bulk/", bulk.ScheduleBulk.as_view(), name="schedule_bulk"),
    path("schedules/<uuid:public_id>/shift/", bulk.Shift.as_view(verb="shift"), name="schedule_shift"),
    path("schedules/<uuid:public_id>/", schedules.ScheduleDetail.as_view(), name="schedule"),
    path("schedules/<uuid:public_id>/occurrences/", occurrences.Occurrences.as_view(), name="occurrences"),
    *(
        path(
            f"schedules/<uuid:public_id>/occurrences/<str:nominal>/{verb}/",
            occurrences.OccurrenceVerb.as_view(verb=verb),
            name=f"occurrence_{verb}",
        )
        for verb in occurrences.OCCURRENCE_VERBS
    ),
    path(
        "schedules/<uuid:public_id>/occurrences/<str:nominal>/following/",
        occurrences.Following.as_view(),
        name="occurrence_following",
    ),
    path("schedules/<uuid:public_id>/exceptions/", occurrences.Exceptions.as_view(), name="schedule_exceptions"),
    path("schedules/<uuid:public_id>/history/", occurrences.History.as_view(), name="schedule_history"),
    path("schedules/<uuid:public_id>/preview/", occurrences.Preview.as_view(), name="schedule_preview"),
    path("schedules/<uuid:public_id>/health/", schedules.ScheduleHealth.as_view(), name="schedule_health"),
    path("schedules/<uuid:public_id>/clone/", occurrences.Clone.as_view(), name="schedule_clone"),
    path("schedules/<uuid:public_id>/publish-now/", schedules.PublishNow.as_view(), name="schedule_publish_now"),
    path("schedules/<uuid:public_id>/backfill/", schedules.BackfillRuns.as_view(), name="schedule_backfill"),
    *(
        path(
            f"schedules/<uuid:public_id>/{verb}/",
            reviews.ReviewVerb.as_view(verb=verb),
            name=f"schedule_{verb.replace('-', '_')}",
        )
        for verb in (*reviews.VERBS, "withdraw")
    ),
    path("schedules/<uuid:public_id>/dependencies/", planning.Dependencies.as_view(), name="schedule_dependencies"),
    path(
        "schedules/<uuid:public_id>/dependencies/<uuid:other>/",
        planning.DependencyRow.as_view(),
        name="schedule_dependency",
    ),
    path("milestones/", planning.MilestoneList.as_view(), name="milestones"),
    path("milestones/<uuid:public_id>/", planning.MilestoneRow.as_view(), name="milestone"),
    path("schedules/<uuid:public_id>/comments/", reviews.ReviewComments.as_view(), name="schedule_comments"),
    path("schedules/<uuid:public_id>/review-links/", reviews.ReviewLinks.as_view(), name="schedule_review_links"),
    path("reviews/", reviews.ReviewList.as_view(), name="reviews"),
    path("reviews/<uuid:public_id>/", reviews.ReviewRow.as_view(), name="review"),
    path("review-links/<uuid:public_id>/", reviews.ReviewLinkRow.as_view(), name="review_link"),
    path("review-policies/", reviews.ReviewPolicies.as_view(), name="review_policies"),
    *(
        path(
            f"schedules/<uuid:public_id>/{verb}/",
            schedules.ScheduleVerb.as_view(verb=verb),
            name=f"schedule_{verb}",
        )
        for verb in schedules.VERBS
    ),
    path("calendar/", calendar.Calendar.as_view(), name="calendar"),
    path("calendar/<str:key>/move/", calendar.CalendarMove.as_view(), name="calendar_move"),
    path("calendar/<str:key>/check/", calendar.CalendarCheck.as_view(), name="calendar_check"),
    path("preflight/", preflight.PreflightNow.as_view(), name="preflight"),
    path("rules/preview/", schedules.RulePreview.as_view(), name="rule_preview"),
    path("jobs/", jobs.JobList.as_view(), name="jobs"),
    path("jobs/bulk/", jobs.JobsBulk.as_view(), name="jobs_bulk"),
    path("jobs/<uuid:public_id>/", jobs.JobRow.as_view(), name="job"),
    *(
        path(
            f"jobs/<uuid:public_id>/{verb}/",
            jobs.JobVerb.as_view(verb=verb),
            name=f"job_{verb.replace('-', '_')}",
        )
        for verb in jobs.VERBS
    ),
    path("jobs/<uuid:public_id>/move/", occurrences.JobMove.as_view(), name="job_move"),
    path("jobs/<uuid:public_id>/attempts/", occurrences.JobAttempts.as_view(), name="job_attempts"),
    path("jobs/<uuid:public_id>/figures/", jobs.Figures.as_view(verb="figures"), name="job_figures"),
    path("recovery/", recovery.Recovery.as_view(), name="recovery"),
    path("recovery/bulk/", recovery.RecoveryBulk.as_view(), name="recovery_bulk"),
    path("notifications/", notifications.NoticeList.as_view(), name="notifications"),
    path("notifications/read-all/", notifications.NoticeReadAll.as_view(), name="notifications_read_all"),
    path("notifications/<uuid:public_id>/", notifications.NoticeRow.as_view(), name="notification"),
    path("notifications/<uuid:public_id>/read/", notifications.NoticeRead.as_view(), name="notification_read"),
    path("audit/", system.AuditList.as_view(), name="audit"),
    path("status/", system.Status.as_view(), name="status"),
    re_path(r"^.*$", system.Nowhere.as_view(), name="nowhere"),
]
