"""The product's settings with a data folder and keys of the tests' own. Read before any other test file."""

# ruff: noqa: E402, F403, F405
import atexit
import base64
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="alwrity-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["ALWRITY_DATA_DIR"] = _folder
os.environ["SECRET_KEY"] = "only for tests, and long enough that nothing complains about its length"
os.environ["ENCRYPTION_KEYS"] = base64.urlsafe_b64encode(b"tests" + bytes(27)).decode()
os.environ.setdefault("OUTBOUND_ALLOW", "127.0.0.1,localhost")
os.environ.setdefault("LOG_LEVEL", "ERROR")

from alwrity_scheduler.settings import *

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # a file, not memory: threads and the scheduler's own connections must see the same database
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(_folder, "test.sqlite3")}
else:
    DATABASES["default"]["TEST"] = {
        "NAME": os.environ.get("TEST_DATABASE_NAME", "test_alwrity"),
        "TEMPLATE": os.environ.get("TEST_DATABASE_TEMPLATE") or None,  # a migrated one, to save the time
    }
# tests that are not about it publish what is late at once
ENGINE["recovery_spacing_seconds"] = 0.0
# every client of a test starts the middleware anew, which would look at each static file of each package
WHITENOISE_AUTOREFRESH = True
STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns about a folder that is not there
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# a provider is configured by the tests that need one
INSTALLED_APPS.append("allauth.socialaccount.providers.openid_connect")
# tests that are not about it ask as often as they like
API_RATE_LIMIT = API_RATE_LIMIT_ANONYMOUS = 0
