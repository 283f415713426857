import gzip
import io
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest

from synth.dicom.decode import decode, display, values
from synth.errors import DicomError
from synth.library.nifti import slices, volume
from synth.terms import Modality

# 4 voxels across, 3 along, 5 up; the value of a voxel tells where it is
ACROSS, ALONG, UP = np.meshgrid(np.arange(4), np.arange(3), np.arange(5), indexing="ij")
PLACED = (100 * UP + 10 * ALONG + ACROSS - 300).astype(np.int16)
TO_RAS = np.diag([0.5, 0.75, 2.0, 1.0])  # indices grow to the patient's right, front and head; mm


def nifti(voxels: np.ndarray, affine: np.ndarray = TO_RAS, packed: bool = False, **header: Any) -> bytes:
    image = nibabel.Nifti1Image(voxels, affine)
    for key, value in header.items():
        image.header[key] = value
    data = image.to_bytes()
    return gzip.compress(data) if packed else data


def of_size(*shape: int) -> bytes:
    """A volume that says it is that large, and is not."""
    data = bytearray(nifti(PLACED))
    data[40:56] = np.array([3, *shape, 1, 1, 1, 1], "<i2").tobytes()
    return bytes(data)


def shown(data: bytes) -> list[list[int]]:
    return values(decode(data, "slice.dcm")).astype(int).tolist()


def expected(up: int) -> list[list[int]]:
    """The right of the patient lies on the left of the picture, the front on top."""
    return [[int(PLACED[x, y, up]) for x in (3, 2, 1, 0)] for y in (2, 1, 0)]


@pytest.mark.parametrize("packed", [False, True])
def test_slices_lie_as_a_radiologist_expects_from_feet_to_head_in_hu(packed: bool) -> None:
    files = list(slices(nifti(PLACED, packed=packed), "ct.nii", Modality.CT))
    assert [shown(file) for file in files] == [expected(up) for up in range(5)]
    first = decode(files[0], "x")
    assert (first.modality, first.hounsfield, first.spacing_mm) == ("CT", True, (0.75, 0.5))
    assert pydicom.dcmread(io.BytesIO(files[0])).SliceThickness == 2.0


def test_a_volume_stored_the_other_way_round_is_the_same_picture() -> None:
    turned = np.ascontiguousarray(PLACED[::-1, ::-1].transpose(2, 0, 1))
    affine = np.array([[0, -0.5, 0, 1.5], [0, 0, -0.75, 1.5], [2.0, 0, 0, 0], [0, 0, 0, 1.0]])
    assert [shown(file) for file in slices(nifti(turned, affine), "x", Modality.CT)] == [
        expected(up) for up in range(5)
    ]


def test_slices_of_one_volume_are_one_series_that_names_nobody() -> None:
    data = nifti(PLACED, descrip=b"John Doe", aux_file=b"Jane", db_name=b"Doe^John")
    first, again, other = (
        [pydicom.dcmread(io.BytesIO(file)) for file in slices(source, "x", Modality.CT)]
        for source in (data, data, nifti(PLACED + 1))
    )
    assert [ds.InstanceNumber for ds in first] == [1, 2, 3, 4, 5]
    assert len({ds.SeriesInstanceUID for ds in first}) == 1 and len({ds.SOPInstanceUID for ds in first}) == 5
    assert [ds.SOPInstanceUID for ds in first] == [ds.SOPInstanceUID for ds in again]
    assert first[0].SeriesInstanceUID != other[0].SeriesInstanceUID
    assert {ds.PatientIdentityRemoved for ds in first} == {"YES"}
    assert all(b"Doe" not in file and b"Jane" not in file for file in slices(data, "x", Modality.CT))


def test_evenly_spaced_slices_are_chosen_and_empty_ones_left_out() -> None:
    many = np.zeros((4, 4, 100), np.int16)
    many[1, 1, 10:91] = np.arange(10, 91)
    files = [pydicom.dcmread(io.BytesIO(file)) for file in slices(nifti(many), "x", Modality.CT, 5)]
    assert [ds.InstanceNumber for ds in files] == [11, 31, 51, 71, 91]
    assert len(list(slices(nifti(many), "x", Modality.CT))) == 40


def test_floats_of_mr_keep_65_thousand_levels() -> None:
    voxels = np.random.default_rng(0).normal(0.0, 0.01, (6, 6, 2)).astype(np.float32)
    files = list(slices(nifti(voxels), "mr.nii", Modality.MR))
    back = np.stack([values(decode(file, "x")) for file in files])
    assert np.abs(back - volume(nifti(voxels), "mr.nii").voxels).max() < np.ptp(voxels) / 60_000
    assert decode(files[0], "x").modality == "MR" and display(decode(files[0], "x")).max() == 255


def test_slope_and_intercept_of_the_header_are_applied() -> None:
    raw = nibabel.Nifti1Image(np.arange(8, dtype=np.uint8).reshape(2, 2, 2), np.eye(4))
    raw.header.set_slope_inter(2, -1000)
    # to_bytes of an image in memory scales anew; the header is set in the bytes themselves
    data = bytearray(raw.to_bytes())
    data[112:120] = np.array([2, -1000], "<f4").tobytes()
    read = volume(bytes(data), "x")
    assert sorted(read.voxels.ravel().tolist()) == [-1000, -998, -996, -994, -992, -990, -988, -986]


def test_of_several_volumes_the_first_is_read_with_a_note() -> None:
    read = volume(nifti(np.stack([PLACED, PLACED * 0 + 7], axis=-1)), "x")
    assert read.notes == ("The first of 2 volumes.",)
    assert np.array_equal(read.voxels, volume(nifti(PLACED), "x").voxels)


RGB = np.zeros((2, 2, 2), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
HOLED = PLACED.astype(np.float32)
HOLED[1, 1, 1] = np.nan
SENTENCES = {
    "rgb.nii": (nifti(RGB), r"has voxels of the type \('R', 'G', 'B'\); grey values are needed"),
    "complex.nii": (nifti(PLACED.astype(np.complex64)), "has voxels of the type complex64"),
    "nan.nii": (nifti(HOLED), "has voxels that are no numbers"),
    "flat.nii": (nifti(PLACED * 0 + 5), "has one grey level only"),
    "plane.nii": (nifti(PLACED[..., 0]), "has the dimensions 4 x 3; a volume has three"),
    "cut.nii": (nifti(PLACED)[:-20], "is damaged: it ends before its 120 bytes of voxels"),
    "cut.nii.gz": (nifti(PLACED, packed=True)[:-20], "is damaged: it ends in the middle of what is packed in it"),
    "bad.nii.gz": (b"\x1f\x8b" + bytes(50), "is damaged: it cannot be unpacked"),
    "text.nii": (b"Dear colleague" * 40, "is not a NIfTI file of one part"),
    "header.nii": (nifti(PLACED)[:348], "is damaged"),
    "large.nii": (of_size(32_000, 32_000, 5), "has 1,024 megapixels"),
    "long.nii": (of_size(500, 500, 30_000), "has 7,500 million voxels; at most 268 are read"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_volume_that_cannot_be_shown_is_one_sentence(name: str) -> None:
    data, why = SENTENCES[name]
    with pytest.raises(DicomError, match=why) as caught:
        list(slices(data, name, Modality.CT))
    assert str(caught.value).startswith(name) and str(caught.value).endswith(".")


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(2**30 + 2**21), 1)
    with pytest.raises(DicomError, match=r"bomb\.nii\.gz unpacks to more than 1024 MiB"):
        volume(bomb, "bomb.nii.gz")


def test_any_damage_gives_slices_or_a_sentence() -> None:
    random = np.random.default_rng(5)
    whole = nifti(PLACED)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(random.integers(1, 5)):
            data[random.integers(352)] = random.integers(256)
        try:
            assert all(decode(file, "x").pixels.ndim == 2 for file in slices(bytes(data), "x", Modality.CT))
        except DicomError as error:
            assert str(error).startswith("x ")
