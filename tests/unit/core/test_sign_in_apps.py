"""Apps for the whole installation, as the environment names them."""

from alwrity_scheduler.bootstrap import sign_in_apps


def test_an_app_is_an_id_and_perhaps_a_secret():
    environment = {
        "ALWRITY_APP_X_ID": " us ",
        "ALWRITY_APP_X_SECRET": "hush",
        "ALWRITY_APP_LINKEDIN_ID": "public",
        "ALWRITY_APP_SLACK_ID": " ",
        "ALWRITY_APP_GHOST_SECRET": "alone",
        "ALWRITY_DATA_DIR": "var",
    }
    assert sign_in_apps(environment) == {"x": ("us", "hush"), "linkedin": ("public", "")}
