"""Which finding was taken for which."""

from __future__ import annotations

import numpy as np

from synth.reading.confusion import confusion, name
from tests.reading.test_analysis import read


def test_a_finding_found_stands_on_the_diagonal_and_false_names_beside_it() -> None:
    said = [
        (("pneumonia",), ("pneumonia",)),
        (("pneumonia",), ("pneumonia", "nodule")),
        (("pneumonia",), ("normal",)),
        (("normal",), ("nodule",)),
        (("normal",), ("normal",)),
    ]
    found = confusion(read("Reader 1", f"c{k}", True, 1.0, true=t, named=n) for k, (t, n) in enumerate(said))
    assert found.codes == ("nodule", "pneumonia", "normal")
    assert found.counts.tolist() == [[0, 0, 0], [1, 2, 1], [1, 0, 1]]
    assert found.readings == (0, 3, 2)
    assert np.allclose(found.shares[1], [1 / 3, 2 / 3, 1 / 3]) and not found.shares[0].any()


def test_of_two_findings_each_has_its_row() -> None:
    found = confusion([read("Reader 1", "c", True, 1.0, true=("mass", "nodule"), named=("nodule", "edema"))])
    assert found.codes == ("edema", "mass", "nodule")
    assert found.counts.tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 1]]


def test_marks_on_a_picture_name_nothing() -> None:
    assert confusion([read("Reader 1", "c", True, 1.0, true=("mass",), named=())]).codes == ()


def test_codes_are_said_in_words() -> None:
    assert (name("pleural_effusion"), name("synthetic")) == ("pleural effusion", "synthetic")
