"""Which hosts the server answers to and which web pages may call it."""

import re

import pytest
from pydantic import SecretStr

from claude_openai.settings import Settings
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, HELLO, said

PAGE = "https://chat.example.com"
KEYS = (SecretStr("sk-right"),)


class TestTheHostHeader:
    @pytest.mark.proves("safety.host-header")
    @pytest.mark.parametrize(
        "host",
        ["localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1", "127.0.0.1:8000", "127.9.9.9", "[::1]", "[::1]:80"],
    )
    async def test_the_machine_itself_is_answered(self, serve: Serve, host: str) -> None:
        served = serve()
        assert (await served.client.get("/health", headers={"host": host})).status_code == 200

    @pytest.mark.proves("safety.host-header", "errors.envelope")
    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "evil.example:8000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "10.0.0.1",
            "0.0.0.0",
            "[::2]",
            "::1",
            "localhost:http",
            "localhost localhost",
            "",
        ],
    )
    async def test_every_other_name_is_refused_before_anything_is_told(self, serve: Serve, host: str) -> None:
        served = serve(said("Hi"))
        for method, path in (("GET", "/health"), ("GET", "/v1/models"), ("POST", CHAT), ("GET", "/nowhere")):
            answer = await served.client.request(method, path, headers={"host": host})
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "host_not_allowed"
        assert served.backend.performances == []

    @pytest.mark.proves("safety.host-header")
    async def test_a_name_that_the_server_was_told_is_its_own(self, serve: Serve) -> None:
        served = serve(allowed_hosts=("chat.example.com", "[fd00::1]"))
        for host in ("chat.example.com", "Chat.Example.COM:8000", "[fd00::1]:8000", "localhost"):
            assert (await served.client.get("/health", headers={"host": host})).status_code == 200
        assert (await served.client.get("/health", headers={"host": "example.com"})).status_code == 403

    @pytest.mark.proves("safety.host-header")
    @pytest.mark.parametrize("bound", ["0.0.0.0", "::", "192.168.1.5", "box.lan"])
    async def test_bound_to_a_network_it_has_any_name_and_the_key_decides(self, serve: Serve, bound: str) -> None:
        served = serve(hosts=("localhost", bound), keys=("sk-right",))
        headers = {"host": "whatever.example"}
        assert (await served.client.get("/v1/models", headers=headers)).status_code == 401
        headers["x-api-key"] = "sk-right"
        assert (await served.client.get("/v1/models", headers=headers)).status_code == 200

    @pytest.mark.proves("safety.host-header")
    async def test_bound_to_a_network_it_has_only_the_names_it_was_told_if_any(self, serve: Serve) -> None:
        served = serve(hosts=("192.168.1.5",), keys=("sk-right",), allowed_hosts=("box.lan",))
        for host, status in (("box.lan", 200), ("192.168.1.5:80", 200), ("127.0.0.1", 200), ("evil.example", 403)):
            assert (await served.client.get("/health", headers={"host": host})).status_code == status


class TestTheOrigin:
    @pytest.mark.proves("safety.origin")
    async def test_a_program_sends_none_and_gets_no_cors_header(self, serve: Serve) -> None:
        served = serve(said("Hi"), allowed_origins=(PAGE,))
        answer = await served.chat()
        assert answer.status_code == 200
        assert not any(name.startswith("access-control-") for name in answer.headers)

    @pytest.mark.proves("safety.origin")
    @pytest.mark.parametrize("origins", [(), (PAGE,)])
    @pytest.mark.parametrize(
        "origin",
        ["https://evil.example", "http://chat.example.com", f"{PAGE}:8443", f"{PAGE}.evil.example", "null", ""],
    )
    async def test_a_foreign_page_is_refused_whatever_it_asks(
        self, serve: Serve, origin: str, origins: tuple[str, ...]
    ) -> None:
        served = serve(said("Hi"), allowed_origins=origins)
        for method, path in (("POST", CHAT), ("GET", "/v1/models"), ("GET", "/health"), ("OPTIONS", CHAT)):
            headers = {"origin": origin, "access-control-request-method": "POST"}
            answer = await served.client.request(method, path, headers=headers)
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "origin_not_allowed"
            assert not any(name.startswith("access-control-") for name in answer.headers)
        assert served.backend.performances == []

    @pytest.mark.proves("safety.origin")
    async def test_an_allowed_page_reads_its_answer_and_its_errors(self, serve: Serve) -> None:
        served = serve(said("Hi"), allowed_origins=(PAGE,), keys=("sk-right",))
        for key, status in (("sk-right", 200), ("sk-wrong", 401)):
            answer = await served.chat(origin=PAGE, x_api_key=key)
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == PAGE
            assert answer.headers["vary"] == "Origin"
            assert "x-request-id" in answer.headers["access-control-expose-headers"]

    @pytest.mark.proves("safety.origin")
    async def test_an_allowed_pages_preflight_needs_no_key(self, serve: Serve) -> None:
        served = serve(allowed_origins=(PAGE,), keys=("sk-right",))
        headers = {
            "origin": PAGE,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,x-stainless-lang",
        }
        answer = await served.client.options(CHAT, headers=headers)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert answer.headers["access-control-allow-methods"] == "DELETE, GET, HEAD, POST"
        assert answer.headers["access-control-allow-headers"] == "authorization,x-stainless-lang"

    @pytest.mark.proves("safety.origin.patterns")
    @pytest.mark.parametrize(
        ("allowed", "origin"),
        [
            ("vscode-webview://*", "vscode-webview://0u2v8h5m7dlk1a"),
            ("chrome-extension://*", "chrome-extension://abcdefghijklmnop"),
            ("app://obsidian.md", "app://obsidian.md"),
            ("http://localhost:*", "http://localhost:5173"),
            ("http://localhost:*", "http://localhost"),
            ("http://[::1]:*", "http://[::1]:3000"),
            ("https://chat.example.com:*", "https://chat.example.com:8443"),
            ("https://chat.example.com:443", "https://chat.example.com"),
            ("http://chat.example.com:80/", "http://chat.example.com"),
            ("file://", "file://"),
        ],
    )
    async def test_a_page_that_fits_a_pattern_is_allowed(self, serve: Serve, allowed: str, origin: str) -> None:
        served = serve(allowed_origins=Settings(allowed_origins=(allowed,)).allowed_origins)
        answer = await served.client.get("/v1/models", headers={"origin": origin, "sec-fetch-site": "cross-site"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)

    @pytest.mark.proves("safety.origin.patterns")
    @pytest.mark.parametrize(
        ("allowed", "origin"),
        [
            ("vscode-webview://*", "vscode-webview://"),
            ("vscode-webview://*", "https://vscode-webview.example"),
            ("vscode-webview://*", "vscode-webview://a/b"),
            ("vscode-webview://*", "xvscode-webview://a"),
            ("http://localhost:*", "http://localhost.evil.example"),
            ("http://localhost:*", "http://localhost:80.evil.example"),
            ("http://localhost:*", "http://localhost:evil"),
            ("http://localhost:*", "http://localhost:"),
            ("http://localhost:*", "https://localhost:80"),
            ("http://a.example:*", "http://axexample:80"),
            ("file://", "file:///etc"),
            ("file://", "null"),
        ],
    )
    async def test_a_page_that_fits_no_pattern_is_refused(self, serve: Serve, allowed: str, origin: str) -> None:
        served = serve(allowed_origins=Settings(allowed_origins=(allowed,)).allowed_origins)
        answer = await served.client.get("/health", headers={"origin": origin})
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)

    @pytest.mark.proves("safety.origin.patterns")
    async def test_a_page_without_an_origin_that_may_call_still_needs_the_key(self, serve: Serve) -> None:
        allowed = Settings(allowed_origins=("null",), api_key=KEYS).allowed_origins
        served = serve(allowed_origins=allowed, keys=("sk-right",))
        for key, status in (("sk-right", 200), ("sk-wrong", 401)):
            answer = await served.client.get("/v1/models", headers={"origin": "null", "x-api-key": key})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "null")

    @pytest.mark.proves("safety.origin")
    @pytest.mark.parametrize(
        ("origin", "named"),
        [
            ("https://chat.example.com", "https://chat.example.com"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("vscode-webview://0u2v8h5m7dlk1a", "vscode-webview://*"),
            ("app://obsidian.md", "app://obsidian.md"),
            ("file://", "file://"),
            ("null", "null"),
            ("https://a b", None),
            ("", None),
            ("http://a/b", None),
            ("https://*", None),
        ],
    )
    async def test_what_a_refusal_advises_lets_the_page_in(self, serve: Serve, origin: str, named: str | None) -> None:
        answer = await serve().client.get("/health", headers={"origin": origin})
        message: str = answer.json()["error"]["message"]
        advised = re.search(r"--allowed-origin '(.*?)'", message)
        assert (answer.status_code, advised[1] if advised else None) == (403, named)
        if named:
            allowed = Settings(allowed_origins=(named,), api_key=KEYS).allowed_origins
            served = serve(allowed_origins=allowed)
            assert (await served.client.get("/health", headers={"origin": origin})).status_code == 200


class TestWhatABrowserSaysOfARequestWithoutAnOrigin:
    """`Sec-Fetch-Site`: images, scripts, frames, links and `no-cors` requests of a page have no Origin."""

    @pytest.mark.proves("safety.fetch-metadata", "errors.envelope")
    @pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "cross-site, none", "later", ""])
    @pytest.mark.parametrize("mode", ["no-cors", "navigate"])
    async def test_another_sites_page_gets_nothing(self, serve: Serve, site: str, mode: str) -> None:
        served = serve(said("Hi"), allowed_origins=(PAGE,))
        for method, path in (("GET", "/v1/models"), ("GET", "/health"), ("GET", "/nowhere"), ("POST", CHAT)):
            headers = {"sec-fetch-site": site, "sec-fetch-mode": mode}
            answer = await served.client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed")
        assert served.backend.performances == []

    @pytest.mark.proves("safety.fetch-metadata")
    @pytest.mark.parametrize("site", ["none", "same-origin"])
    async def test_what_a_person_opens_and_our_own_page_are_answered(self, serve: Serve, site: str) -> None:
        answer = await serve().client.get("/health", headers={"sec-fetch-site": site, "sec-fetch-mode": "navigate"})
        assert answer.status_code == 200

    @pytest.mark.proves("safety.origin")
    async def test_a_post_of_a_page_of_this_server_itself_is_answered(self, serve: Serve) -> None:
        served = serve(said("Hi"))
        own = str(served.client.base_url).rstrip("/")
        assert (await served.chat(origin=own, sec_fetch_site="same-origin")).status_code == 200
        for other in (own.replace("http:", "https:"), own.rpartition(":")[0], f"{own}0"):
            assert (await served.chat(origin=other)).status_code == 403

    @pytest.mark.proves("safety.fetch-metadata")
    async def test_an_allowed_page_is_answered_from_wherever_it_is(self, serve: Serve) -> None:
        served = serve(allowed_origins=(PAGE,))
        answer = await served.client.get("/v1/models", headers={"origin": PAGE, "sec-fetch-site": "cross-site"})
        assert answer.status_code == 200


@pytest.mark.proves("safety.not-embedded")
async def test_every_answer_forbids_to_embed_it_and_to_guess_its_type(serve: Serve) -> None:
    served = serve(said("Hi"), said("Hi"), allowed_origins=(PAGE,), keys=("sk-right",))
    client, key = served.client, {"x-api-key": "sk-right"}
    answers = [
        await client.get("/health"),
        await served.chat(x_api_key="sk-right"),
        await served.chat({**HELLO, "stream": True}, x_api_key="sk-right"),
        await client.get("/v1/models", headers={**key, "origin": PAGE}),
        await client.get("/v1/models"),
        await client.get("/nowhere", headers=key),
        await client.put("/health"),
        await client.get("/health", headers={"origin": "https://evil.example"}),
        await client.get("/health", headers={"host": "evil.example"}),
        await client.options(CHAT, headers={"origin": PAGE, "access-control-request-method": "POST"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 401, 404, 405, 403, 403, 204]
    for answer in answers:
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
