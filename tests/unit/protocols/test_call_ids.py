"""Ids of calls: legal upstream, unique, and as the client gave them where that can be."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.protocols.common.call_ids import CallIds

pytestmark = pytest.mark.proves("tools.results.ids")

LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")

sent_ids = st.lists(st.text() | st.sampled_from(["call_1", "", "a.b", "a:b", "x" * 65, "call_" + "0" * 32]))


def assigned(sent: list[str]) -> list[str]:
    ids = CallIds()
    return [ids.assign(one) for one in sent]


@given(sent_ids)
def test_ids_are_legal_and_no_two_calls_share_one(sent: list[str]) -> None:
    ids = assigned(sent)
    assert all(LEGAL.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(sent)


@given(sent_ids, sent_ids)
def test_an_id_does_not_depend_on_what_comes_later(sent: list[str], later: list[str]) -> None:
    assert assigned(sent + later)[: len(sent)] == assigned(sent)


def test_no_id_is_one_that_claude_code_takes_for_a_part_of_another() -> None:
    first, part, other = assigned(["a", "a_2", "b_2"])
    assert (first, other) == ("a", "b_2")
    assert not part.startswith("a_")
    part, whole = assigned(["a_2", "a"])
    assert part == "a_2"
    assert whole != "a"


def test_a_legal_id_stays_the_first_time() -> None:
    first, second = assigned(["call_1", "call_1"])
    assert first == "call_1" != second


def test_the_ids_that_upstream_makes_come_back_as_they_were() -> None:
    made = ["toolu_01f1a6c7ad2d5b4219beede8", "toolu_bdrk_01AbCdEf", "toolu_vrtx_01AbCdEf", "srvtoolu_01-_"]
    assert assigned(made) == made


def test_an_id_that_another_one_was_mapped_to_is_mapped_in_its_turn() -> None:
    (mapped,) = assigned(["a.b"])
    ids = assigned(["a.b", mapped])
    assert ids[0] == mapped != ids[1]
