import pytest
from django.urls import reverse

@pytest.mark.parametrize("view", ["month","week","day"])
def test_x(owner, team, view):
    r = owner.get(reverse("web:calendar")+f"?view={view}")
    assert r.status_code == 200
    r = owner.get(reverse("web:calendar")+f"?view={view}", headers={"HX-Request": "true"})
    assert r.status_code == 200
    print(r.content.decode()[:6000])
    r = owner.get(reverse("web:calendar_day")+f"?date=2026-11-24")
    assert r.status_code == 200
