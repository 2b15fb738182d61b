from django.urls import path

from schedules.web.views import accounts, composer, detail, jobs, media, people, schedules, system, today

app_name = "web"
urlpatterns = [
    path("", today.today, name="today"),
    path("find/", system.find, name="find"),
    path("icons/<slug:digest>.svg", system.icons, name="icons"),
    path("schedules/", schedules.schedule_list, name="schedules"),
    path("schedules/new/", composer.new, name="schedule_new"),
    path("schedules/<uuid:public_id>/", detail.schedule, name="schedule"),
    path("schedules/<uuid:public_id>/edit/", composer.edit, name="schedule_edit"),
    path("schedules/<uuid:public_id>/split/", composer.split, name="schedule_split"),
    path("schedules/<uuid:public_id>/move/", detail.move, name="occurrence_move"),
    path("schedules/<uuid:public_id>/skip/", detail.skip, name="occurrence_skip"),
    path("schedules/<uuid:public_id>/restore-run/", detail.restore_run, name="occurrence_restore"),
    path("schedules/<uuid:public_id>/<slug:verb>/", schedules.act, name="schedule_act"),
    path("preview-runs/", composer.preview_runs, name="preview_runs"),
    path("preview-post/", composer.preview_post, name="preview_post"),
    path("media/", media.upload, name="media_upload"),
    path("jobs/", jobs.job_list, name="jobs"),
    path("jobs/<uuid:public_id>/", jobs.job, name="job"),
    path("jobs/<uuid:public_id>/confirm/", jobs.confirm, name="job_confirm"),
    path("jobs/<uuid:public_id>/<slug:verb>/", jobs.act, name="job_act"),
    path("accounts/", accounts.account_list, name="accounts"),
    path("accounts/connect/", accounts.choose, name="account_choose"),
    path("accounts/connect/<slug:platform>/", accounts.connect, name="account_connect"),
    path("accounts/<uuid:public_id>/", accounts.account, name="account"),
    path("accounts/<uuid:public_id>/<slug:verb>/", accounts.act, name="account_act"),
    path("team/", people.team, name="team"),
    path("team/tokens/<uuid:public_id>/revoke/", people.revoke_token, name="token_revoke"),
    path("settings/", people.settings, name="settings"),
    path("workspace/", people.switch_workspace, name="switch_workspace"),
    path("workspace/pause/", people.pause_workspace, name="pause_workspace"),
    path("workspace/resume/", people.resume_workspace, name="resume_workspace"),
    path("pause-everything/", people.pause_everything, name="pause_everything"),
    path("resume-everything/", people.resume_everything, name="resume_everything"),
]
