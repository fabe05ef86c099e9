"""The sockets of a server: one for each address of its hosts, all on one port."""

import errno
import socket
from typing import Any

import pytest

from claude_openai.system.serving import base_url, listening
from tests.patience import PATIENCE_SECONDS

REALLY = socket.socket


def addresses(*hosts: str, port: int = 0) -> list[str]:
    """Which addresses are listened on, each of which lets somebody in."""
    with listening(hosts, port) as listeners:
        [found] = {listener.getsockname()[1] for listener in listeners}
        assert port in {0, found}
        names = [str(listener.getsockname()[0]) for listener in listeners]
        for listener in listeners:
            with socket.create_connection(listener.getsockname()[:2], timeout=PATIENCE_SECONDS):
                listener.accept()[0].close()
    return names


class Kernel:
    """Sockets as another machine's kernel would make them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def has_no_ipv6(self) -> None:
        class Socket(REALLY):
            def __init__(self, family: int = -1, *rest: Any, **named: Any) -> None:
                if family == socket.AF_INET6:
                    raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
                super().__init__(family, *rest, **named)

        self._patch.setattr(socket, "socket", Socket)

    def refuses_ipv6(self, *faults: int) -> None:
        """To bind it, with one of these after another; then it works."""
        left = list(faults)

        class Socket(REALLY):
            def bind(self, address: Any) -> None:
                if self.family == socket.AF_INET6 and left:
                    raise OSError(left.pop(0), "refused")
                super().bind(address)

        self._patch.setattr(socket, "socket", Socket)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST"])
def test_localhost_is_both_loopback_addresses_on_one_port(name: str) -> None:
    assert addresses(name) == ["127.0.0.1", "::1"]


def test_localhost_is_loopback_whatever_the_resolver_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    with listening(["localhost"], 0) as listeners:
        assert [base_url(each).rpartition(":")[0] for each in listeners] == ["http://127.0.0.1", "http://[::1]"]


@pytest.mark.proves("start.hosts")
def test_a_machine_without_ipv6_has_the_other_address(kernel: Kernel) -> None:
    kernel.has_no_ipv6()
    assert addresses("localhost") == ["127.0.0.1"]


@pytest.mark.proves("start.hosts")
def test_a_machine_whose_ipv6_is_switched_off_has_the_other_address(kernel: Kernel) -> None:
    kernel.refuses_ipv6(errno.EADDRNOTAVAIL)
    assert addresses("localhost") == ["127.0.0.1"]


@pytest.mark.proves("start.hosts")
def test_an_address_that_was_named_must_be_there(kernel: Kernel) -> None:
    kernel.has_no_ipv6()
    with pytest.raises(OSError, match="not supported") as raised, listening(["127.0.0.1", "::1"], 0):
        pass
    assert raised.value.filename == "::1"


def test_any_free_port_is_free_on_every_address(kernel: Kernel) -> None:
    kernel.refuses_ipv6(errno.EADDRINUSE, errno.EADDRINUSE)
    assert addresses("localhost") == ["127.0.0.1", "::1"]


def test_a_port_that_another_has_on_one_address_is_busy() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use") as raised, listening(["localhost"], port):
            pass
        assert raised.value.filename == "::1"
        assert addresses("127.0.0.1", port=port) == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("hosts", "bound"),
    [
        (["127.0.0.2", "127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"]),
        (["127.0.0.1", "localhost"], ["127.0.0.1", "::1"]),
        (["0.0.0.0", "::"], ["0.0.0.0", "::"]),
        (["0.0.0.0", "localhost"], ["0.0.0.0", "::1"]),
        (["127.0.0.1", "::"], ["127.0.0.1", "::"]),
    ],
)
def test_several_hosts_are_listened_on_each_address_once(hosts: list[str], bound: list[str]) -> None:
    assert addresses(*hosts) == bound


def test_all_of_ipv6_alone_takes_ipv4_too_where_the_system_does() -> None:
    with listening(["::"], 0) as (listener,):
        both = listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 0
        with REALLY(socket.AF_INET6) as plain:
            assert both == (plain.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 0)


@pytest.mark.parametrize("host", [".", "a..b", "a" * 64, "nobody.invalid"])
def test_what_is_no_host_is_an_error_that_names_it(host: str) -> None:
    with pytest.raises(OSError, match=r".") as raised, listening([host], 0):
        pass
    assert raised.value.filename == host


def test_a_host_with_several_addresses_is_listened_on_at_those_that_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(host: str, *_: Any, **__: Any) -> list[Any]:
        names = {"box.test": ["203.0.113.1", "127.0.0.3"], "away.test": ["203.0.113.1"]}
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, 0)) for name in names[host]]

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolved)
        with listening(["box.test"], 0) as (listener,):
            assert listener.getsockname()[0] == "127.0.0.3"
        with pytest.raises(OSError, match="assign") as raised, listening(["away.test"], 0):
            pass
    assert raised.value.filename == "203.0.113.1"
