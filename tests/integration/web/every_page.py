"""Every page and who gets it. One line for each address and method, and for each verb of an address that takes verbs.

A line: method, name of the address and what stands in it (by the names of `test_every_page.scenery`), who of owner (o),
manager (m), approver (a), author (u) and viewer (v) gets in, and with which status; the others of the team get 403. Then, where
it is not the rule, what an outside reviewer (404: there is no such page for them), a stranger of another workspace (404) and
nobody (302: to the way in) get, and the form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TEAM = {"o": "owner", "m": "manager", "a": "approver", "u": "author", "v": "viewer"}


@dataclass(frozen=True, slots=True)
class Line:
    asked: str
    who: str
    good: int
    reviewer: int = 404
    stranger: int = 404
    nobody: int = 302
    others: int = 403
    form: dict[str, Any] = field(default_factory=dict)

    def answers(self) -> dict[str, int]:
        team = {name: self.good if letter in self.who else self.others for letter, name in TEAM.items()}
        return {**team, "reviewer": self.reviewer, "stranger": self.stranger, "nobody": self.nobody}


def own(asked: str, good: int = 200, **form: Any) -> Line:
    """Of one's own workspace: a stranger sees theirs."""
    return Line(asked, "omauv", good, stranger=good, form=form)


def everybody(asked: str, good: int, nobody: int = 302, **form: Any) -> Line:
    """The same for whoever is signed in: it is about oneself, or about nothing of anybody."""
    return Line(asked, "omauv", good, reviewer=good, stranger=good, nobody=nobody, form=form)


LINES: tuple[Line, ...] = (
    # ---- the first page, the frame
    Line("GET web:today", "omauv", 200, reviewer=302, stranger=200),
    own("POST web:today_arrange", 404),
    own("GET web:first_steps"),
    own("POST web:first_steps", 303, step="hide"),
    # administrators only
    everybody("GET web:engine", 404),
    everybody("GET web:find", 200),
    everybody("GET web:icons icons", 200, 200),
    everybody("GET web:plotly plotly", 200, 200),
    everybody("GET web:jsi18n en words", 200, 200),
    own("GET web:emoji"),
    # ---- the timeline and its milestones
    own("GET web:timeline"),
    Line("GET web:milestone_new", "omau", 200, stranger=200),
    Line("POST web:milestone_new", "omau", 303, stranger=303, form={"name": "Launch", "due_on": "2026-12-01"}),
    Line("GET web:milestone milestone", "omau", 200),
    Line("POST web:milestone milestone", "omau", 303, form={"name": "Launch", "due_on": "2026-12-01"}),
    *(Line(f"POST web:milestone_act milestone {verb}", "omau", 303) for verb in ("done", "reopen", "remove")),
    Line("POST web:milestone_act gone_milestone restore", "omau", 303),
    # ---- the calendar
    own("GET web:calendar"),
    own("GET web:calendar_day"),
    own("GET web:calendar_labels"),
    own("POST web:calendar_layers", 303),
    *(
        Line("POST web:calendar_bulk", "omau", 303, stranger=303, form={"verb": verb, "event": "{event}", "days": "1"})
        for verb in ("pause", "resume", "archive", "restore", "shift")
    ),
    own("GET web:calendar_export csv"),
    own("GET web:calendar_export ics"),
    Line("GET web:event event", "omauv", 200),
    Line("GET web:event_check event", "omauv", 422),
    Line("POST web:event_move event", "omau", 422, form={"date": "2026-11-29", "time": "10:00", "version": "1"}),
    # ---- kept views
    own("POST web:view_save", 303, page="jobs", name="Mine", query="q=x"),
    Line(
        "POST web:view_save", "omau", 303, stranger=303,
        form={"page": "jobs", "name": "Ours", "query": "q=x", "shared": "1"},
    ),
    Line("POST web:view_remove view", "o", 303, others=404),
    # ---- schedules
    own("GET web:schedules"),
    own("POST web:schedules_arrange", 303),
    own("GET web:schedules_export csv"),
    own("GET web:schedules_export json"),
    *(
        Line("POST web:bulk_plan", "omau", 303, stranger=303, form={"verb": verb, "ids": "{daily}", "label": "x"})
        for verb in ("pause", "resume", "activate", "shift", "clone", "label", "unlabel", "archive", "restore")
    ),
    Line("GET web:bulk_run bulk", "o", 200, others=404),
    *(
        Line(f"POST web:bulk_act bulk {verb}", "o", 303, others=404)
        for verb in ("start", "step", "stop", "continue", "again", "undo", "cancel")
    ),
    Line("GET web:schedule_new", "omau", 200, stranger=200),
    Line("POST web:schedule_new", "omau", 422, stranger=422),
    Line("GET web:schedule daily", "omauv", 200),
    Line("GET web:schedule_edit daily", "omau", 200),
    Line("POST web:schedule_edit daily", "omau", 422),
    Line("GET web:schedule_split daily", "omau", 200),
    Line("POST web:schedule_split daily", "omau", 422),
    *(
        Line(f"POST web:{name} daily", "omau", 303, form={"nominal": "2026-11-23T18:00", "date": "2026-11-24", "time": "9:00"})
        for name in ("occurrence_move", "occurrence_skip", "occurrence_restore")
    ),
    Line("GET web:schedule_backfill daily", "omau", 200),
    Line("POST web:schedule_backfill daily", "omau", 422),
    Line("GET web:schedule_preflight daily", "omauv", 200),
    Line("GET web:schedule_dependencies daily", "omauv", 200),
    *(
        Line(f"POST web:dependency_act daily paused {verb}", "omau", 303)
        for verb in ("add", "remove")
    ),
    *(
        Line(f"POST web:schedule_act daily {verb}", "omau", 303)
        for verb in ("activate", "pause", "resume", "archive", "restore", "clone", "publish-now")
    ),
    own("POST web:preview_runs"),
    own("POST web:preview_preflight"),
    own("POST web:preview_post"),
    Line("GET web:link_card", "omau", 200, stranger=200),
    # ---- reviews
    everybody("GET web:reviews", 200),
    Line("GET web:review asked", "omauv", 200, reviewer=200),
    *(
        Line(f"POST web:review_act asked {verb}", "omauv", 303, reviewer=303, form={"comment": "Well"})
        for verb in ("approve", "request-changes", "comment")
    ),
    Line("POST web:review_act asked withdraw", "omau", 303, reviewer=403),
    Line("POST web:review_act draft submit", "omau", 303),
    Line("POST web:review_link asked", "omau", 303, form={"label": "Client", "days": "7"}),
    Line("POST web:review_link_revoke link", "omau", 303),
    Line("GET web:review_policies", "om", 200, stranger=200),
    Line("POST web:review_policies", "om", 303, stranger=303, form={"required": "on", "remind_after_hours": "24"}),
    everybody("GET outside_review link_token", 200, 200),
    everybody("POST outside_review link_token", 302, 302, verb="comment", comment="Nice"),
    everybody("GET outside_review no_token", 404, 404),
    # ---- media
    own("GET web:media"),
    Line("POST web:media_add", "omau", 303, stranger=303),
    Line("POST web:media_upload", "omau", 422, stranger=422),
    own("GET web:media_pick"),
    own("POST web:media_pick"),
    Line("POST web:media_many", "omau", 303, stranger=303, form={"asset": "{asset}", "verb": "delete"}),
    Line("POST web:media_restore_many", "omau", 303, stranger=303, form={"asset": "{asset}"}),
    Line("POST web:media_folder_new", "omau", 303, stranger=303, form={"name": "Winter"}),
    Line("POST web:media_folder folder change", "omau", 303, form={"name": "Autumn"}),
    Line("POST web:media_folder folder remove", "omau", 303),
    Line("GET web:media_asset asset", "omauv", 200),
    Line("POST web:media_asset asset", "omau", 303, form={"name": "cup.png", "alt_text": "A cup"}),
    Line("POST web:media_act asset delete", "omau", 303),
    Line("POST web:media_act asset restore", "omau", 303),
    Line("GET platforms:media asset cup.png", "omauv", 200),
    Line("GET platforms:thumbnail asset", "omauv", 200),
    everybody("GET platforms:rendition checksum rendition", 404, 404),
    # ---- drafts, the library, versions
    Line("GET web:drafts", "omau", 200, stranger=200),
    Line("POST web:draft_keep", "omau", 200, stranger=200, form={"title": "Kept"}),
    Line("POST web:draft_keep", "omau", 200, form={"title": "Kept", "editing": "{daily}"}),
    Line("POST web:draft_discard kept", "o", 303, others=404),
    Line("POST web:draft_take_back kept", "o", 303, others=404),
    own("GET web:library"),
    Line("POST web:library", "omau", 303, stranger=303, form={"new-name": "Fair", "new-hashtags": "#fair"}),
    Line("POST web:template_change template", "omau", 303, form={"name": "Offer"}),
    Line("POST web:template_delete template", "omau", 303),
    Line("POST web:hashtags_change hashtags", "omau", 303, form={"name": "Cups", "hashtags": "#cup"}),
    Line("POST web:hashtags_delete hashtags", "omau", 303),
    Line("GET web:content_versions content", "omauv", 200),
    Line("POST web:version_restore content 1", "omau", 303),
    # ---- jobs and the recovery desk
    own("GET web:jobs"),
    own("GET web:jobs_runs"),
    own("GET web:jobs_figure"),
    own("GET web:jobs_schedules"),
    own("GET web:jobs_export"),
    Line("POST web:jobs_many", "omau", 303, stranger=303, form={"verb": "retry", "job": "{job}"}),
    Line("POST web:jobs_many", "omau", 303, stranger=303, form={"verb": "cancel", "job": "{job}"}),
    own("POST web:jobs_result_read", 303),
    Line("POST web:jobs_move_back", "omau", 404),
    Line("GET web:job job", "omauv", 200),
    Line("POST web:job_confirm job", "omau", 422, form={"remote_url": "https://example.com/1"}),
    Line("POST web:job_new_time job", "omau", 422, form={"date": "2026-12-01", "time": "9:00"}),
    Line("POST web:job_figures job", "omau", 303),
    *(
        Line(f"POST web:job_act job {verb}", "omau", 303)
        for verb in ("retry", "run-now", "cancel", "publish-again", "take-down", "amend", "dismiss")
    ),
    own("GET web:recovery"),
    Line("POST web:recovery_many", "omau", 303, stranger=303, form={"verb": "retry", "job": "{failed}"}),
    Line("POST web:recovery_undo_many r1 1", "omau", 303, stranger=303),
    Line("POST web:recovery_undo failed", "omau", 303),
    *(
        Line(f"POST web:recovery_act failed {verb}", "omau", 303)
        for verb in ("retry", "publish-now", "publish-again", "look-again", "discard")
    ),
    Line("POST web:recovery_act failed reslot", "omau", 422, form={"date": "2026-12-01", "time": "9:00"}),
    Line("POST web:recovery_act failed confirm", "omau", 422, form={"remote_url": "https://example.com/1"}),
    # ---- accounts
    own("GET web:accounts"),
    Line("GET web:account_choose", "om", 200, stranger=200),
    Line("GET web:account_connect sandbox", "om", 200, stranger=200),
    Line("POST web:account_connect sandbox", "om", 422, stranger=422, form={"name": "Fair", "handle": "fair"}),
    Line("GET web:account_signin mastodon", "om", 200, stranger=200),
    Line("POST web:account_signin mastodon", "om", 422, stranger=422),
    own("GET web:account_pick attempt", 422),
    own("POST web:account_pick attempt", 422),
    own("GET oauth_callback", 422),
    Line("GET web:account_apps", "om", 200, stranger=200),
    Line("POST web:account_apps", "om", 422, stranger=422),
    Line("POST web:account_app_remove client", "om", 303),
    own("GET web:account_groups"),
    Line("POST web:account_groups", "om", 303, stranger=422, form={"name": "South", "accounts": "{account}"}),
    Line("POST web:account_group group", "om", 303, form={"name": "South", "accounts": "{account}", "version": "1"}),
    Line("POST web:account_group_delete group", "om", 303),
    Line("GET web:account account", "omauv", 200),
    Line("POST web:account account", "om", 422, form={"name": "Harbour"}),
    Line("GET web:account_times account", "omauv", 200),
    Line("POST web:account_times account", "om", 303, form={"0": "9:00"}),
    *(
        Line(f"POST web:account_act account {verb}", "om", 303)
        for verb in ("test", "try-now", "pause", "resume", "disconnect")
    ),
    # ---- notifications: one's own
    everybody("GET web:notifications", 200),
    everybody("GET web:notices_latest", 200),
    everybody("POST web:notice_rules", 303, kind="failed"),
    everybody("POST web:notices_read", 303),
    everybody("POST web:notices_unread 1", 303),
    Line("GET web:notice notice", "o", 302, others=404),
    Line("GET web:notice_sign_in notice", "o", 302, others=404),
    Line("POST web:notice_act notice read", "o", 303, others=404),
    Line("POST web:notice_act failed_notice retry", "o", 303, others=404),
    # ---- the team
    own("GET web:team"),
    Line("POST web:team", "o", 422, stranger=422, form={"email": "new@example.com", "role": "author", "which": "all"}),
    Line("POST web:leave", "mauv", 303, reviewer=303, stranger=303, others=303),
    Line("GET web:member ben", "o", 200),
    Line("POST web:member ben", "o", 422, form={"which": "all"}),
    Line("POST web:member_role ben", "o", 303, form={"role": "viewer"}),
    Line("POST web:member_remove ben", "o", 303),
    Line("POST web:invitation_act invitation resend", "o", 200),
    Line("POST web:invitation_act invitation take-back", "o", 303),
    Line("GET web:tokens", "o", 200, stranger=200),
    Line(
        "POST web:tokens", "o", 422, stranger=422,
        form={"name": "Zapier", "role": "author", "expires": "365", "which": "all", "reach": "all"},
    ),
    Line("GET web:token token", "o", 200),
    Line("POST web:token token", "o", 422, form={"name": "n8n", "which": "all", "reach": "all", "expires": "365"}),
    Line("POST web:token_renew token", "o", 200),
    Line("POST web:token_revoke token", "o", 303),
    everybody("GET join invitation_link", 200, 200),
    everybody("GET join no_token", 404, 404),
    Line("POST join invitation_link", "", 422, reviewer=422, stranger=302, others=422, nobody=422, form={"sure": "1"}),
    # ---- apps, hooks, webhooks
    Line("GET web:apps", "om", 200, stranger=200),
    Line("POST web:apps", "om", 422, stranger=422),
    Line("GET web:app app", "om", 200),
    Line("POST web:app app", "om", 422),
    Line("POST web:app_secret app", "om", 200),
    *(Line(f"POST web:app_act app {verb}", "om", 303) for verb in ("disable", "enable", "delete")),
    Line("POST web:app_permission_revoke permission", "o", 303, others=404),
    Line("GET oauth_authorize ?app", "omauv", 200, stranger=200),
    Line("POST oauth_authorize ?app", "omauv", 302, stranger=422, form={"workspace": "{room}", "answer": "allow"}),
    Line("GET web:hooks", "om", 200, stranger=200),
    Line("GET web:hook_new", "om", 200, stranger=200),
    Line("POST web:hook_new", "om", 422, stranger=422),
    Line("GET web:hook hook", "om", 200),
    Line("POST web:hook hook", "om", 422),
    *(Line(f"POST web:hook_act hook {verb}", "om", good) for verb, good in (("rotate", 200), ("remove", 303))),
    Line("GET web:webhooks", "om", 200, stranger=200),
    Line("GET web:webhook_new", "om", 200, stranger=200),
    Line("POST web:webhook_new", "om", 422, stranger=422),
    Line("GET web:webhook webhook", "om", 200),
    Line("GET web:webhook_edit webhook", "om", 200),
    Line("POST web:webhook_edit webhook", "om", 422),
    Line("POST web:webhook_replay webhook", "om", 422),
    *(
        Line(f"POST web:webhook_act webhook {verb}", "om", good)
        for verb, good in (("test", 303), ("pause", 303), ("resume", 303), ("rotate", 200), ("delete", 303))
    ),
    Line("GET web:webhook_delivery delivery", "om", 200),
    Line("POST web:webhook_delivery_replay delivery", "om", 303),
    # ---- security, settings
    Line("GET web:security", "o", 200, stranger=200),
    Line("POST web:alerts_seen", "o", 303, stranger=303),
    everybody("GET web:own_data", 200),
    everybody("POST web:erase_me", 303, password="not this one"),
    everybody("GET web:settings", 200),
    *(
        everybody(f"GET web:settings_section {name}", 200)
        for name in ("you", "security", "language", "look", "keys", "notifications", "data", "danger")
    ),
    *(own(f"GET web:settings_section {name}") for name in ("workspace", "apps", "integrations")),
    everybody("POST web:settings", 303, first_name="Ana"),
    everybody("POST web:settings_section look", 303, theme="dark", density="compact"),
    Line("POST web:settings_section workspace", "o", 303, stranger=303, form={"name": "Team", "timezone": "UTC"}),
    everybody("POST web:choose theme dark", 303),
    everybody("POST web:switch_workspace", 303, workspace="{room}"),
    Line("POST web:pause_workspace", "om", 303, stranger=303),
    Line("POST web:resume_workspace", "om", 303, stranger=303),
    Line("POST web:pause_everything", "", 303, stranger=403),
    Line("POST web:resume_everything", "", 303, stranger=403),
    # ---- the practice network
    everybody("GET sandbox:index", 200),
    Line("GET sandbox:feed harbour", "omauv", 200),
    Line("POST sandbox:faults harbour", "om", 422),
    Line("GET sandbox:post harbour no_token", "omauv", 404),
    Line("POST sandbox:like harbour no_token", "omauv", 404),
    Line("POST sandbox:comment harbour no_token", "omauv", 404),
    # ---- the roof
    everybody("GET home", 302),
    everybody("POST set_language", 302, language="de"),
    everybody("GET healthz", 200, 200),
    # no engine runs here, and the figures want their key
    everybody("GET readyz", 503, 503),
    everybody("GET metrics", 404, 404),
    # ---- what programs ask of the provider
    everybody("POST oauth:token", 400, 400),
    everybody("POST oauth:revoke", 400, 400),
    everybody("POST oauth:introspect", 401, 401),
    everybody("GET oauth:metadata", 200, 200),
    everybody("GET oauth:resource_metadata", 200, 200),
    # ---- signing in, and what is one's own there
    everybody("GET account_login", 302, 200),
    everybody("GET account_logout", 200),
    everybody("GET login", 302, 200),
    everybody("POST login", 302, 200, login="nobody", password="x"),
    everybody("GET logout", 200),
    everybody("POST logout", 302),
    everybody("GET password_change", 302, 302),
    everybody("GET account_inactive", 200, 200),
    everybody("GET account_signup", 302, 200),
    everybody("POST account_signup", 302, 200),
    everybody("GET account_reauthenticate", 200),
    everybody("POST account_reauthenticate", 200, password="x"),
    everybody("GET account_email", 200),
    everybody("POST account_email", 302, action_add="", email="x@example.com"),
    everybody("GET account_email_verification_sent", 200, 200),
    everybody("GET account_confirm_email no_token", 200, 200),
    everybody("POST account_confirm_email no_token", 404, 404),
    everybody("GET account_change_password", 200),
    everybody("POST account_change_password", 200),
    everybody("GET account_set_password", 302),
    everybody("POST account_set_password", 302),
    everybody("GET account_reset_password", 200, 200),
    everybody("POST account_reset_password", 200, 200, email="x@example.com"),
    everybody("GET account_reset_password_done", 200, 200),
    everybody("GET account_reset_password_from_key 1 no-key", 200, 200),
    everybody("POST account_reset_password_from_key 1 no-key", 200, 200),
    everybody("GET account_reset_password_from_key_done", 200, 200),
    everybody("GET account_confirm_login_code", 302, 302),
    everybody("POST account_confirm_login_code", 302, 302),
    everybody("GET usersessions_list", 200),
    everybody("POST usersessions_list", 302),
    everybody("POST end_session 1", 404),
    everybody("GET mfa_index", 200),
    everybody("GET mfa_authenticate", 302, 302),
    everybody("POST mfa_authenticate", 302, 302),
    everybody("GET mfa_reauthenticate", 302),
    everybody("POST mfa_reauthenticate", 302),
    everybody("GET mfa_reauthenticate_webauthn", 302),
    everybody("POST mfa_reauthenticate_webauthn", 302),
    everybody("GET mfa_activate_totp", 302),
    everybody("POST mfa_activate_totp", 302),
    everybody("GET mfa_deactivate_totp", 404),
    everybody("POST mfa_deactivate_totp", 404),
    everybody("GET mfa_view_recovery_codes", 404),
    everybody("GET mfa_generate_recovery_codes", 302),
    everybody("POST mfa_generate_recovery_codes", 302),
    everybody("GET mfa_download_recovery_codes", 404),
    everybody("GET mfa_list_webauthn", 200),
    everybody("GET mfa_add_webauthn", 302),
    everybody("POST mfa_add_webauthn", 302),
    everybody("GET mfa_remove_webauthn 1", 302),
    everybody("POST mfa_remove_webauthn 1", 302),
    everybody("GET mfa_edit_webauthn 1", 302),
    everybody("POST mfa_edit_webauthn 1", 302),
    everybody("GET mfa_login_webauthn", 302, 302),
    everybody("POST mfa_login_webauthn", 302, 302),
    everybody("GET socialaccount_connections", 200),
    everybody("POST socialaccount_connections", 200),
    everybody("GET socialaccount_login_cancelled", 200, 200),
    everybody("GET socialaccount_login_error", 401, 401),
    everybody("GET socialaccount_signup", 302, 302),
    everybody("POST socialaccount_signup", 302, 302),
    everybody("GET openid_connect_login none", 404, 404),
    everybody("POST openid_connect_login none", 404, 404),
    everybody("GET openid_connect_callback none", 404, 404),
)  # fmt: skip
