"""The house's own numbers are read or refused in one sentence."""

import pytest

from synth.errors import RequestError
from synth.governance.rules import Rules


def test_a_file_changes_what_it_names_and_nothing_else() -> None:
    assert Rules.from_text('images_per_hour = 3\nhttps = true\nproxies = ["10.0.0.1"]') == Rules(
        images_per_hour=3, https=True, proxies=("10.0.0.1",)
    )
    assert Rules.from_text("") == Rules()


def test_a_quota_holds_where_people_sign_in_and_where_one_is_set() -> None:
    assert [Rules().hourly(signed_in) for signed_in in (True, False)] == [120, None]
    assert [Rules(images_per_hour=3).hourly(signed_in) for signed_in in (True, False)] == [3, 3]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tries = 0", "governance.toml: tries is 0; it must be a whole number of 1 or more."),
        ("tries = true", "governance.toml: tries is True; it must be a whole number of 1 or more."),
        ("https = 1", "governance.toml: https is 1; it must be true or false."),
        ("proxies = [1]", "governance.toml: proxies is [1]; it must be a list of texts."),
    ],
)
def test_a_value_that_does_not_fit_is_named(text: str, sentence: str) -> None:
    with pytest.raises(RequestError) as refused:
        Rules.from_text(text)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("text", ["nonsense = 1", "tries ="])
def test_an_unknown_name_and_a_broken_file_are_told(text: str) -> None:
    with pytest.raises(RequestError, match=r"^governance\.toml "):
        Rules.from_text(text)
