"""Where media files are kept: a folder of this machine, or a bucket that speaks S3. Read by settings."""

from __future__ import annotations

from typing import Any

FOLDER: dict[str, Any] = {"BACKEND": "django.core.files.storage.FileSystemStorage"}


def media_storage(env: Any) -> dict[str, Any]:
    """Django's STORAGES entry from the environment: a bucket when MEDIA_S3_BUCKET names one (extra `s3`), else the folder.

    Without keys boto3 looks where it always does (environment, profile, machine role). Objects are private: pages and platforms
    get them from this server.
    """
    bucket = env.str("MEDIA_S3_BUCKET", default="")
    if not bucket:
        return FOLDER
    given = {
        "endpoint_url": env.str("MEDIA_S3_ENDPOINT_URL", default=""),
        "region_name": env.str("MEDIA_S3_REGION", default=""),
        "access_key": env.str("MEDIA_S3_ACCESS_KEY", default=""),
        "secret_key": env.str("MEDIA_S3_SECRET_KEY", default=""),
        "addressing_style": env.str("MEDIA_S3_ADDRESSING", default=""),
    }
    options: dict[str, Any] = {
        "bucket_name": bucket,
        "location": env.str("MEDIA_S3_PREFIX", default="").strip("/"),
        "file_overwrite": False,
        "default_acl": None,
        "querystring_auth": True,
        **{name: value for name, value in given.items() if value},
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
