import os
from collections.abc import Iterator

import pytest
from loky import ProcessPoolExecutor

from tests.dicom.hostile import outcome

FILES = int(os.environ.get("SYNTH_TEST_FUZZ", "2000"))
BATCH = 50
SLOWEST_S = 5.0  # a busy machine is slow


def outcomes(numbers: range) -> list[tuple[int, str, float]]:
    return [(number, *outcome(number)) for number in numbers]


def in_workers(ranges: list[range]) -> Iterator[list[tuple[int, str, float]] | range]:
    """What became of each range; the range itself where its process died."""
    with ProcessPoolExecutor(max_workers=2) as pool:
        futures = [(pool.submit(outcomes, numbers), numbers) for numbers in ranges]
        for future, numbers in futures:
            try:
                yield future.result()
            except Exception:
                yield numbers


@pytest.mark.slow
def test_thousands_of_damaged_files_are_decoded_or_refused_and_no_process_dies() -> None:
    found: list[tuple[int, str, float]] = []
    doubtful: list[range] = []
    for result in in_workers([range(at, min(at + BATCH, FILES)) for at in range(0, FILES, BATCH)]):
        doubtful.append(result) if isinstance(result, range) else found.extend(result)
    died: list[int] = []
    for numbers in doubtful:  # the batch of a culprit and those that died with it
        (again,) = in_workers([numbers])
        for number in [] if isinstance(again, list) else numbers:
            (result,) = in_workers([range(number, number + 1)])
            died.append(number) if isinstance(result, range) else found.extend(result)
        found.extend(again if isinstance(again, list) else [])
    kinds = {kind: sum(1 for _, other, _ in found if other == kind) for kind in ("decoded", "refused")}
    assert died == []
    assert [item for item in found if item[1] not in kinds] == []
    assert [item for item in found if item[2] > SLOWEST_S] == []
    assert len(found) == FILES and min(kinds.values()) > FILES // 10, kinds
