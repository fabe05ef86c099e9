"""Which hosts the server answers to and which web pages may call it."""

import pytest

from tests.http.conftest import Serve
from tests.http.exchange import CHAT, said

PAGE = "https://chat.example.com"


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
        served = serve(host=bound, keys=("sk-right",))
        headers = {"host": "whatever.example"}
        assert (await served.client.get("/v1/models", headers=headers)).status_code == 401
        headers["x-api-key"] = "sk-right"
        assert (await served.client.get("/v1/models", headers=headers)).status_code == 200

    @pytest.mark.proves("safety.host-header")
    async def test_bound_to_a_network_it_has_only_the_names_it_was_told_if_any(self, serve: Serve) -> None:
        served = serve(host="192.168.1.5", keys=("sk-right",), allowed_hosts=("box.lan",))
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
        assert answer.headers["access-control-allow-methods"] == "GET, POST"
        assert answer.headers["access-control-allow-headers"] == "authorization,x-stainless-lang"
