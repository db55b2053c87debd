"""Where a feed may be, who may know its token, on which terms it is read, and what is seen of it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts import minting
from accounts.models import User
from core.audit import acting
from core.errors import Invalid, NotFound
from core.models import AuditEntry
from tests.usage import feed_server
from tests.usage.feeding import OLGA, events, follow, read, stored
from usage import collecting, feeds
from usage.models import Feed, Source

pytestmark = pytest.mark.django_db


class TestWhereItMayGo:
    """A feed's address is given by a person, and the answers come from elsewhere."""

    @pytest.mark.parametrize(
        "url",
        ["ftp://x.example/", "x.example/feed", "https://", "https://ada:pw@x.example/", "http://[::1/", "file:///etc",
         "https://x.example/a b", "https://x.example:0/", "https://x.example:99999/", "https://ä.example/", ""],
    )  # fmt: skip
    def test_odd_addresses_are_refused_at_once(self, dynos: Source, url: str) -> None:
        with pytest.raises(Invalid):
            feeds.put(dynos, actor=OLGA, url=url)

    @pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "0.0.0.0"])
    def test_only_https_leaves_this_machine(self, dynos: Source, host: str) -> None:
        with pytest.raises(Invalid, match="Only https"):
            feeds.put(dynos, actor=OLGA, url=f"http://{host}/feed")
        feed = feeds.put(dynos, actor=OLGA, url="http://localhost/feed")
        Feed.objects.update(url=f"http://{host}/feed")
        assert read().failed == 1
        feed.refresh_from_db()
        assert "Only https" in feed.last_error

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "[fd00::1]"]
    )
    def test_nothing_private_when_so_configured(self, dynos: Source, settings: Any, host: str) -> None:
        settings.FEEDS_PUBLIC_ONLY = True
        feed = feeds.put(dynos, actor=OLGA, url=f"https://{host}/feed")
        assert read().failed == 1
        feed.refresh_from_db()
        assert "is not to be reached from here" in feed.last_error

    def test_the_token_comes_from_the_environment_and_is_never_said(
        self, dynos: Source, served: feed_server.Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        served.token = "s3cret"
        served.add(*events(3))
        feed = follow(dynos, served)
        assert feeds.token_name("eu-west.dynos") == "VAULT_FEED_TOKEN_EU_WEST_DYNOS"
        assert read().failed == 1
        monkeypatch.setenv("VAULT_FEED_TOKEN_DYNOS", "s3cret\nX-Other: 1")
        assert read().failed == 1
        feed.refresh_from_db()
        assert "s3cret" not in feed.last_error and len(served.asked) == 1
        monkeypatch.setenv("VAULT_FEED_TOKEN_DYNOS", "s3cret\n")
        assert read().accepted == 3

    def test_a_certificate_is_checked_and_a_slow_one_is_cut(
        self, dynos: Source, tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pem = tmp_path / "localhost.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out", tmp_path / "c.pem",
             "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            check=True, capture_output=True,
        )  # fmt: skip
        pem.write_bytes(pem.read_bytes() + (tmp_path / "c.pem").read_bytes())
        served = feed_server.Feed(certificate=str(pem)).start()
        served.add(*events(30))
        feed = follow(dynos, served)
        assert read().failed == 1
        feed.refresh_from_db()
        assert "CERTIFICATE_VERIFY_FAILED" in feed.last_error and not served.asked
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "c.pem"))
        served.script = ["", "drip"]
        assert (read().accepted, read().accepted) == (20, 10)
        assert served.happened["drip"] == 1
        served.stop()


class TestTerms:
    def test_changes_are_signed_and_begin_anew_only_when_asked(self, dynos: Source, served: feed_server.Feed) -> None:
        served.add(*events(30))
        follow(dynos, served)
        read()
        fence = Feed.objects.get().fence
        feed = feeds.put(dynos, actor=OLGA, page_size=7)
        assert (feed.cursor, feed.page_size, feed.fence) == ("30", 7, fence + 1)
        entry = AuditEntry.objects.filter(table="usage_source").latest("pk")
        assert (entry.actor, entry.before["feed"]["page_size"], entry.after["feed"]["page_size"]) == (OLGA, 20, 7)
        feeds.put(dynos, actor=OLGA, cursor="")
        assert read().duplicate == 30
        assert len(stored()) == 30

    def test_removed_it_is_read_no_more(self, dynos: Source, served: feed_server.Feed) -> None:
        served.add(*events(3))
        follow(dynos, served)
        read()
        feeds.remove(dynos, actor=OLGA)
        assert read() == collecting.Collected() and len(stored()) == 3
        with pytest.raises(NotFound, match="feed dynos --url"):
            feeds.of(dynos)

    @pytest.mark.parametrize("terms", [{"page_size": 0}, {"page_size": 10_001}, {"every_seconds": 0}, {"cursor": "\0"},
                                       {"margin_seconds": -1}, {"every_seconds": 10**12}])  # fmt: skip
    def test_impossible_terms_are_refused(self, dynos: Source, served: feed_server.Feed, terms: Any) -> None:
        with pytest.raises(Invalid):
            follow(dynos, served, **terms)


def test_staff_see_how_far_it_was_read_and_what_stands_in_the_way(dynos: Source, served: feed_server.Feed) -> None:
    with acting("system:test"):
        olga = User.objects.create_user("olga@example.com", None, role="operator")
    client = Client()
    client.force_login(olga, backend="django.contrib.auth.backends.ModelBackend")
    assert "Read from its feed" not in client.get("/sources/dynos/").content.decode()
    follow(dynos, served)
    assert "never yet" in client.get("/sources/dynos/").content.decode()
    served.add(*events(30))
    served.script = ["", "failing"]
    read()
    page = client.get("/sources/dynos/").content.decode()
    assert "The last reading failed" in page and "The feed answered 500." in page and 'mono">20</span>' in page
    key = minting.for_staff(olga, ["usage:read"], actor=olga.actor).text
    answer = Client().get("/api/v1/usage/sources", headers={"Authorization": f"Bearer {key}"}).json()
    said = answer["results"][0]["feed"]
    assert (said["cursor"], said["failures"], said["last_error"]) == ("20", 1, "The feed answered 500.")
    Feed.objects.update(state="dead")
    assert "Given up" in client.get("/sources/dynos/").content.decode()
