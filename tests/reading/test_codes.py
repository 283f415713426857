"""Codes that invite."""

from __future__ import annotations

from random import Random

import pytest

from synth.reading.codes import ALPHABET, CODE_LENGTH, code, codes, tidied


def test_no_letter_of_a_code_is_taken_for_another() -> None:
    assert not set("01OIL") & set(ALPHABET) and len(ALPHABET) == len(set(ALPHABET)) == 31
    made = code(Random(3).choice)
    assert len(made) == CODE_LENGTH == 8 and set(made) <= set(ALPHABET)


def test_every_letter_is_picked_anew() -> None:
    turn = iter("ABCDEFGH")
    assert code(lambda letters: next(turn)) == "ABCDEFGH"


def test_no_two_codes_are_the_same_even_where_chance_repeats_itself() -> None:
    turn = iter("AAAAAAAA" + "AAAAAAAA" + "BBBBBBBB")
    assert codes(2, lambda letters: next(turn)) == ("AAAAAAAA", "BBBBBBBB")


@pytest.mark.parametrize("typed", ["abcd2345", " ABCD-2345 ", "abcd 2345\n"])
def test_a_code_is_understood_as_people_type_it(typed: str) -> None:
    assert tidied(typed) == "ABCD2345"
