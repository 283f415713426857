"""The index of likeness: the nearest first, filters kept, ties always the same, and what distance is unusual."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.library.likeness import MAY_BE_COPY, Likeness, Near


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def vectors(count: int, size: int = 16, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((count, size)))


def names(count: int) -> list[str]:
    return [f"i{number:05d}" for number in range(count)]


@given(st.integers(1, 60), st.integers(1, 70), st.integers(0, 5))
def test_the_nearest_are_those_that_a_plain_sort_finds(count: int, k: int, seed: int) -> None:
    rows, wanted = vectors(count, seed=seed), vectors(1, seed=99)[0]
    found = Likeness(names(count), rows).nearest(wanted, k)
    order = np.argsort(1 - rows @ wanted, kind="stable")[:k]
    assert [near.id for near in found] == [names(count)[i] for i in order]
    assert [near.distance for near in found] == pytest.approx([1 - float(rows[i] @ wanted) for i in order], abs=1e-5)


def test_equal_pictures_come_by_their_id_whatever_their_order() -> None:
    rows = np.repeat(vectors(1), 5000, axis=0)
    index = Likeness(list(np.random.default_rng(0).permutation(names(5000))), rows)
    assert index.nearest(rows[0], 3) == [Near("i00000", 0.0), Near("i00001", 0.0), Near("i00002", 0.0)]


def test_only_what_the_filter_allows_is_given() -> None:
    rows = vectors(100)
    among = np.arange(100) % 10 == 3
    found = Likeness(names(100), rows).nearest(rows[0], 50, among)
    assert sorted(near.id for near in found) == [f"i{i:05d}" for i in range(3, 100, 10)]
    assert Likeness(names(100), rows).nearest(rows[0], 5, np.zeros(100, bool)) == []


def test_an_image_is_not_its_own_neighbour() -> None:
    index = Likeness(names(20), vectors(20))
    found = index.like("i00004", 20)
    assert len(found) == 19 and "i00004" not in {near.id for near in found}
    assert all(first.distance <= second.distance for first, second in pairwise(found))


def test_other_images_of_a_patient_can_be_left_out() -> None:
    index = Likeness(names(6), vectors(6), ["a", "a", "b", "", "", "a"])
    assert {near.id for near in index.like("i00000", 9, others_only=True)} == {"i00002", "i00003", "i00004"}
    assert len(index.like("i00003", 9, others_only=True)) == 5  # unknown patients are not one person


def test_an_empty_index_finds_nothing() -> None:
    index = Likeness([], np.empty((0, 16), np.float16))
    assert index.nearest(vectors(1)[0], 5) == [] and index.nearer_than(0.1) is None and len(index) == 0


def test_a_copy_is_nearer_than_real_images_are_to_each_other() -> None:
    rows = vectors(300)
    index = Likeness(names(300), rows)
    copy = index.nearest(unit(rows[:1] + 0.001)[0], 1)[0]
    assert (index.nearer_than(copy.distance) or 0) >= MAY_BE_COPY
    assert (index.nearer_than(0.9) or 0) < 0.05


def test_two_images_of_one_patient_do_not_make_nearness_usual() -> None:
    rows = np.repeat(vectors(100), 2, axis=0)
    people = [f"p{i // 2}" for i in range(200)]
    assert Likeness(names(200), rows, people).nearer_than(0.0) == 1.0
    assert Likeness(names(200), rows).nearer_than(0.0) == 0.0


def test_few_images_say_nothing_of_what_is_usual() -> None:
    index = Likeness(names(100), vectors(100), [f"p{i % 5}" for i in range(100)])
    assert index.nearer_than(0.0) is None


def test_a_wrong_number_of_ids_is_a_bug() -> None:
    with pytest.raises(ValueError, match="2 ids, 3 vectors"):
        Likeness(names(2), vectors(3))


def test_fifty_thousand_images_are_searched_at_once() -> None:
    rows = np.tile(vectors(5000, 1024), (10, 1)).astype(np.float16)
    index = Likeness(names(50_000), rows)
    index.nearest(rows[0], 10)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        found = index.nearest(rows[17], 10)
        seconds.append(time.perf_counter() - start)
    assert [near.id for near in found] == [f"i{i:05d}" for i in range(17, 50_000, 5000)]
    assert min(seconds) < 0.4  # 0.1 s on one core that is not shared
