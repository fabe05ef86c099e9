"""A process that starts with the first line it is told, which lies ready for it then."""

import json
import sys
from pathlib import Path

import anyio
import pytest

from claude_openai.claude_code.processes.child import Command, child_process
from claude_openai.claude_code.sdk.command import GATE, is_gated
from claude_openai.claude_code.sdk.transport import ChildTransport
from tests.patience import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no /bin/sh"),
]


async def test_a_gated_program_starts_when_it_has_its_first_message_to_read(tmp_path: Path) -> None:
    started = tmp_path / "started"
    program = ("/bin/sh", "-c", f'test -e "{started}" && exit 1; touch "{started}"; exec cat')
    command = Command((*GATE, *program), {"PATH": "/usr/bin:/bin"}, tmp_path, tmp_path / "stderr")
    assert is_gated(command)
    with anyio.fail_after(PATIENCE_SECONDS):
        async with child_process(command) as child:
            transport = ChildTransport(child, gated=True)
            assert not started.exists()
            requests = [{"type": "control_request", "request_id": number} for number in ("first", "second")]
            for request in requests:
                await transport.write(json.dumps(request) + "\n")
            heard = transport.read_messages()
            assert [await anext(heard), await anext(heard)] == requests
            assert started.exists()
