"""The addresses under /api/v1/."""

from django.urls import path, re_path

from schedules.api.views import (
    accounts,
    bulk,
    calendar,
    content,
    docs,
    jobs,
    library,
    media,
    notifications,
    planning,
    preflight,
    recovery,
    reviews,
    schedules,
    system,
)

app_name = "api"
urlpatterns = [
    path("accounts/", accounts.AccountList.as_view(), name="accounts"),
    path("accounts/<uuid:public_id>/", accounts.AccountDetail.as_view(), name="account"),
    *(
        path(
            f"accounts/<uuid:public_id>/{verb}/",
            accounts.AccountVerb.as_view(verb=verb),
            name=f"account_{verb}",
        )
        for verb in accounts.VERBS
    ),
    path("account-groups/", accounts.GroupList.as_view(), name="account_groups"),
    path("account-groups/<uuid:public_id>/", accounts.GroupDetail.as_view(), name="account_group"),
    path("sign-in-apps/", accounts.AppList.as_view(), name="sign_in_apps"),
    path("sign-in-apps/<uuid:public_id>/", accounts.AppDetail.as_view(), name="sign_in_app"),
    path("content/", content.ContentList.as_view(), name="content_list"),
    path("content/check/", preflight.ContentCheck.as_view(), name="content_check"),
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
    path("schedules/bulk/", bulk.ScheduleBulk.as_view(), name="schedule_bulk"),
    path("schedules/<uuid:public_id>/shift/", bulk.Shift.as_view(verb="shift"), name="schedule_shift"),
    path("schedules/<uuid:public_id>/", schedules.ScheduleDetail.as_view(), name="schedule"),
    path("schedules/<uuid:public_id>/occurrences/", schedules.Occurrences.as_view(), name="occurrences"),
    path("schedules/<uuid:public_id>/health/", schedules.ScheduleHealth.as_view(), name="schedule_health"),
    path("schedules/<uuid:public_id>/clone/", schedules.Clone.as_view(), name="schedule_clone"),
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
    path("jobs/<uuid:public_id>/figures/", jobs.Figures.as_view(verb="figures"), name="job_figures"),
    path("recovery/", recovery.Recovery.as_view(), name="recovery"),
    path("recovery/bulk/", recovery.RecoveryBulk.as_view(), name="recovery_bulk"),
    path("notifications/", notifications.NoticeList.as_view(), name="notifications"),
    path("notifications/read-all/", notifications.NoticeReadAll.as_view(), name="notifications_read_all"),
    path("notifications/<uuid:public_id>/", notifications.NoticeRow.as_view(), name="notification"),
    path("notifications/<uuid:public_id>/read/", notifications.NoticeRead.as_view(), name="notification_read"),
    path("audit/", system.AuditList.as_view(), name="audit"),
    path("status/", system.Status.as_view(), name="status"),
    path("schema/", docs.SchemaFile.as_view(), name="schema"),
    path("docs/", docs.swagger, name="docs"),
    path("redoc/", docs.redoc, name="redoc"),
    # a line break in an address is no end of it
    re_path(r"^[\s\S]*$", system.Nowhere.as_view(), name="nowhere"),
]
