"""DICOM, NRRD and NIfTI: slices, orientation, gray values, and files that are refused."""

from __future__ import annotations

import contextlib
import csv
import gzip
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.errors import GazetrackError, InputError
from gazetrack.images import slices as volumes
from gazetrack.images.folder import find_images, read_image, read_mask
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import (
    label_values,
    read_labels,
    read_slice,
    slices_of,
    write_like,
)
from gazetrack.tables.stimulus import stem
from tests.volume_files import AFFINE, write_dicom, write_nifti, write_nrrd

nibabel, nrrd, pydicom = (pytest.importorskip(name) for name in ("nibabel", "nrrd", "pydicom"))
BLOCK = np.arange(4 * 3 * 2, dtype=np.int16).reshape(4, 3, 2)  # stored [I, J, K]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.dcm", "a"), ("x/case.1.nii.gz", "case.1"), ("c.NRRD", "c"), ("d.nii", "d"), ("7", "7")],
)
def test_stems(name, expected):
    assert stem(name) == expected


def test_the_slice_of_an_nrrd_is_its_transposed_plane(tmp_path):
    path = write_nrrd(tmp_path / "case.nrrd", BLOCK)
    volume, values = volumes._values(ImageRef(path, 2))
    assert values.tolist() == BLOCK[:, :, 1].T.tolist()
    assert volume.limits == pytest.approx(np.percentile(BLOCK, [0.5, 99.5]))
    for number in (0, 3):
        with pytest.raises(InputError, match=rf"case\.nrrd: has no slice {number}, but 1 to 2"):
            read_slice(ImageRef(path, number))
    with pytest.raises(InputError, match="volume of 2 slices"):
        read_slice(ImageRef(path))


def test_all_formats_show_the_same_head_up_picture(tmp_path):
    """The same anatomy stored in left-posterior and in right-anterior order looks the same."""
    shown = np.array([[1, 2, 3], [4, 5, 6]], np.int16)  # rows to the back, columns to the left
    lps = shown.T[:, :, None].repeat(2, 2)
    ras = lps[::-1, ::-1]
    sagittal = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], float)  # stored axes: back, head, left
    write_nrrd(tmp_path / "a.nrrd", lps)
    write_nrrd(tmp_path / "b.nrrd", ras, ((-1, 0, 0), (0, -1, 0), (0, 0, 3)))
    write_nrrd(tmp_path / "c.nrrd", ras, space="right-anterior-superior")
    write_nrrd(tmp_path / "d.nrrd", lps.transpose(1, 0, 2), ((0, 1, 0), (1, 0, 0), (0, 0, 3)))
    write_nifti(tmp_path / "e.nii.gz", ras, np.diag([1, 1, 3, 1.0]))
    write_nifti(tmp_path / "f.nii", lps, np.diag([-1, -1, 3, 1.0]))
    write_nrrd(tmp_path / "g.nrrd", lps[:, ::-1], sagittal.tolist())  # rows to the feet
    write_dicom(tmp_path / "h.dcm", np.stack([shown, shown]))
    for path in sorted(tmp_path.iterdir()):
        assert volumes._values(ImageRef(path, 1))[1].tolist() == shown.tolist(), path.name


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(2, 4)),
    st.permutations([0, 1, 2]),
    st.tuples(*[st.sampled_from([-1.5, 2.0])] * 3),
)
def test_a_prediction_keeps_the_geometry_of_its_volume(tmp_path_factory, shape, order, scale):
    folder = tmp_path_factory.mktemp("like")
    labels = np.random.default_rng(0).integers(0, 2, shape, np.uint8)
    directions = np.eye(3)[order] * np.array(scale)[:, None]
    affine = np.eye(4)
    affine[:3, :3] = directions.T
    files = [write_nrrd(folder / "a.nrrd", labels.astype(np.int16), directions.tolist())]
    files += [
        write_nifti(folder / name, labels.astype(np.float32), affine)
        for name in ("b.nii.gz", "c.nii")
    ]
    for path in files:
        seen = np.stack([read_labels(one) for one in slices_of(path)])
        out = folder / "out" / path.name
        write_like(path, seen.astype(np.uint8), out)
        assert np.array_equal(np.stack([read_labels(one) for one in slices_of(out)]), seen)
        before, after = volumes.header(path).raw, volumes.header(out).raw
        if path.suffix == ".nrrd":
            written, after = nrrd.read(str(out))
            assert np.array_equal(written, labels)
            assert np.array_equal(after["space directions"], before["space directions"])
            assert after["space origin"].tolist() == [1.25, -2, 3]
        else:
            assert np.array_equal(np.asanyarray(after.dataobj), labels)
            assert np.array_equal(after.affine, before.affine)
            assert after.get_data_dtype() == np.uint8
        first = out.read_bytes()
        write_like(path, seen.astype(np.uint8), out)
        assert out.read_bytes() == first


def test_gray_values(tmp_path):
    ramp = np.arange(1000, dtype=np.int16).reshape(20, 50)
    plain = read_slice(ImageRef(write_dicom(tmp_path / "a.dcm", ramp)))
    assert (plain[0, 0], plain[-1, -1], plain.dtype) == (0, 255, np.uint8)
    assert abs(int(plain[10, 0]) - 128) <= 1
    inverted = read_slice(
        ImageRef(write_dicom(tmp_path / "b.dcm", ramp, PhotometricInterpretation="MONOCHROME1"))
    )
    assert np.array_equal(inverted, 255 - plain)
    path = write_dicom(tmp_path / "c.dcm", ramp, RescaleSlope=2, RescaleIntercept=-1000)
    assert np.array_equal(read_slice(ImageRef(path)), plain)  # percentiles do not care
    window = read_slice(ImageRef(path), (0.0, 400.0))  # -200..200, raw 400..600
    assert (window.reshape(-1)[400], window.reshape(-1)[500], window.reshape(-1)[600]) == (
        0,
        128,
        255,
    )
    bytes_ = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(read_slice(ImageRef(write_dicom(tmp_path / "d.dcm", bytes_))), bytes_)
    flat = read_slice(ImageRef(write_dicom(tmp_path / "e.dcm", np.full((3, 4), 900, np.uint16))))
    assert not flat.any()
    odd = np.full((6, 5, 2), np.nan, np.float32)
    odd[..., 1] = np.linspace(0, 1, 30).reshape(6, 5)
    odd[0, 0, 1] = np.inf
    path = write_nifti(tmp_path / "f.nii.gz", odd)
    assert not read_slice(ImageRef(path, 1)).any()
    assert read_slice(ImageRef(path, 2)).max() == 255
    path = write_nifti(
        tmp_path / "g.nii", np.arange(24, dtype=np.int16).reshape(4, 3, 2), slope=(2.0, -10.0)
    )
    assert volumes._values(ImageRef(path, 1))[0].limits[0] == pytest.approx(-10, abs=1)


def test_slices_of_a_volume_share_their_scale(tmp_path):
    block = np.zeros((4, 3, 2), np.int16)
    block[..., 0], block[..., 1] = 100, 50
    block[0, 0] = 0
    path = write_nrrd(tmp_path / "a.nrrd", block)
    assert (read_slice(ImageRef(path, 1))[1, 1], read_slice(ImageRef(path, 2))[1, 1]) == (255, 128)


def test_colours(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 255, (4, 6, 3), np.uint8)
    facts = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
    assert np.array_equal(read_slice(ImageRef(write_dicom(tmp_path / "a.dcm", rgb, **facts))), rgb)
    from pydicom.pixels import convert_color_space

    ybr = convert_color_space(rgb, "RGB", "YBR_FULL")
    facts["PhotometricInterpretation"] = "YBR_FULL"
    back = read_slice(ImageRef(write_dicom(tmp_path / "b.dcm", ybr, **facts))).astype(int)
    assert np.abs(back - rgb).max() <= 2
    assert read_image(ImageRef(tmp_path / "a.dcm"), "L", (2, 3)).shape == (2, 3)


def nii(path, shape, **more):
    return write_nifti(path, np.zeros(shape, more.get("dtype", np.int16)))


HUGE = "dimension: 3\ntype: short\nencoding: gzip\nendian: little\nsizes: {}\n\n"
BAD = {
    "dicom of nothing": (
        "a.dcm",
        lambda p: p.write_bytes(b"no dicom"),
        "cannot be read as an image",
    ),
    "no pixel data": (
        "a.dcm",
        lambda p: write_dicom(p, np.zeros((2, 2), np.uint8), PixelData=None),
        "without pixel",
    ),
    "palette": (
        "a.dcm",
        lambda p: write_dicom(
            p, np.zeros((2, 2), np.uint8), PhotometricInterpretation="PALETTE COLOR"
        ),
        "pixels of kind PALETTE COLOR",
    ),
    "huge dicom": (
        "a.dcm",
        lambda p: write_dicom(p, np.zeros((2, 2), np.uint8), Rows=65535, Columns=65535),
        "65535 x",
    ),
    "many frames": (
        "a.dcm",
        lambda p: write_dicom(p, np.zeros((2, 2), np.uint8), NumberOfFrames=2_000_000_000),
        "2000000000 voxels",
    ),
    "short dicom": (
        "a.dcm",
        lambda p: write_dicom(p, np.zeros((2, 2), np.uint8), Rows=50),
        "cannot be",
    ),
    "4-D nifti": ("a.nii.gz", lambda p: nii(p, (2, 3, 4, 5)), r"has 4 axes \(2 x 3 x 4 x 5\)"),
    "complex nifti": (
        "a.nii",
        lambda p: nii(p, (2, 3, 4), dtype=np.complex64),
        "voxels of type complex64",
    ),
    "cut nifti": (
        "a.nii.gz",
        lambda p: p.write_bytes(nii(p.with_name("b.nii.gz"), (40, 30, 4)).read_bytes()[:100]),
        "cannot be read",
    ),
    "4-D nrrd": ("a.nrrd", lambda p: write_nrrd(p, np.zeros((2, 2, 2, 2), np.int16)), "has 4 axes"),
    "vectors": (
        "a.nrrd",
        lambda p: write_nrrd(p, BLOCK, kinds="RGB-color domain domain"),
        "axis of kind RGB-color",
    ),
    "detached": (
        "a.nrrd",
        lambda p: write_nrrd(p, BLOCK, **{"data file": "/etc/passwd"}),
        "in another file",
    ),
    "bzip2": ("a.nrrd", lambda p: write_nrrd(p, BLOCK, encoding="bzip2"), "packed as bzip2"),
    "skip": ("a.nrrd", lambda p: write_nrrd(p, BLOCK, **{"byte skip": "4"}), "has byte skip"),
    "block": ("a.nrrd", lambda p: write_nrrd(p, BLOCK, kind="block"), "voxels of type block"),
    "short nrrd": (
        "a.nrrd",
        lambda p: write_nrrd(p, BLOCK, sizes="40 30 20"),
        "ends after 48 of 48,000 bytes",
    ),
    "no nrrd": ("a.nrrd", lambda p: p.write_bytes(b"NRRD0004\nrubbish\n\n"), "cannot be read"),
    "huge nrrd": (
        "a.nrrd",
        lambda p: p.write_text("NRRD0004\n" + HUGE.format("99999 99999 99999")),
        "99999 x 99999 x",
    ),
    "negative": (
        "a.nrrd",
        lambda p: p.write_text("NRRD0004\n" + HUGE.format("-4 3 2")),
        "has no pixels: -4 x 3",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_named(tmp_path, case, capfd):
    name, write, match = BAD[case]
    write(tmp_path / name)
    with pytest.raises(InputError, match=match) as caught:
        [read_slice(image) for image in slices_of(tmp_path / name)]
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert name.split(".")[0] in " ".join(find_images(tmp_path))
    assert capfd.readouterr() == ("", "")


def test_a_bomb_is_not_unpacked(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", BLOCK)
    head = path.read_bytes().split(b"\n\n")[0]
    path.write_bytes(head + b"\n\n" + gzip.compress(bytes(50_000_000)))
    import tracemalloc

    tracemalloc.start()
    read_slice(ImageRef(path, 1))
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_gives_an_error_of_ours_or_an_image(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damage")
    name, write = data.draw(
        st.sampled_from([("a.dcm", write_dicom), ("a.nrrd", write_nrrd), ("a.nii", write_nifti)])
    )
    path = write(folder / name, np.ones((2, 5, 6), np.int16))
    content = bytearray(path.read_bytes())
    share = st.floats(
        0, 1
    )  # of the file: its size differs from call to call, as DICOM makes names of its own
    for place, value in data.draw(st.lists(st.tuples(share, st.integers(0, 255)))):
        content[int(place * (len(content) - 1))] = value
    path.write_bytes(content[: int(data.draw(share) * len(content))])
    with contextlib.suppress(GazetrackError):
        assert all(read_slice(one).dtype == np.uint8 for one in slices_of(path)[:3])


def test_a_volume_that_is_gone_is_said_so(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        slices_of(tmp_path / "gone.nii")
    assert AFFINE.shape == (4, 4)


@pytest.mark.real_data
def test_real_slices_their_masks_and_gaze_fit(data_dir):
    """The DICOM slices and NRRD labels of NCI-ISBI lie on each other, and the gaze on both."""
    folder = data_dir / "nci-isbi-gaze"
    masks = find_images(folder / "masks" / "nrrd3T")
    images = {
        i: image
        for i, image in find_images(folder / "two-slices" / "images").items()
        if image.file.suffix == ".dcm"
    }
    assert sorted(images) == ["Prostate3T-01-0001_13", "Prostate3T-01-0002_16"]
    for image_id, image in images.items():
        mask, gray = read_mask(masks[image_id]), read_slice(image)
        assert mask.shape == gray.shape == (320, 320)
        assert (gray.min(), gray.max()) == (0, 255)
    inside: dict[str, list[bool]] = {}
    with (folder / "nci-isbi_fixation.csv").open() as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["IMAGE"])
    for image_id, of_image in itertools.groupby(rows, lambda row: stem(row["IMAGE"])):
        if image_id in masks:
            mask = read_mask(masks[image_id])
            for row in of_image:
                x, y = (
                    float(row["CURRENT_FIX_X"]) * mask.shape[1],
                    float(row["CURRENT_FIX_Y"]) * mask.shape[0],
                )
                hit = 0 <= x < mask.shape[1] and 0 <= y < mask.shape[0] and mask[int(y), int(x)]
                inside.setdefault(image_id, []).append(bool(hit))
    assert len(inside) > 300
    assert np.mean([np.mean(hits) for hits in inside.values()]) > 0.85


@pytest.mark.parametrize("above", [False, True])
def test_a_deflated_dicom_is_unpacked_within_its_limit_alone(tmp_path, monkeypatch, above):
    from pydicom import dcmread

    from gazetrack.images import volume_files

    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    data = dcmread(
        write_dicom(tmp_path / "plain.dcm", pixels, EncapsulatedDocument=bytes(3_000_000))
    )
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    path = tmp_path / "a.dcm"
    data.save_as(path)
    unpacked, packed = (tmp_path / "plain.dcm").stat().st_size, path.stat().st_size
    assert packed < unpacked / 100
    assert np.array_equal(read_slice(ImageRef(path)), read_slice(ImageRef(tmp_path / "plain.dcm")))
    volumes._header.cache_clear()
    monkeypatch.setattr(volume_files, "DEFLATE_RATIO_FROM_BYTES", 1000)
    monkeypatch.setattr(
        volume_files, "MAX_DEFLATE_RATIO", unpacked // packed + (-5 if above else 5)
    )
    if above:
        with pytest.raises(InputError, match=r"a.dcm: unpacks to more than 2 MB from 0.0 MB"):
            read_slice(ImageRef(path))
    else:
        assert read_slice(ImageRef(path)).shape == (3, 4)


@pytest.mark.parametrize("kind", [np.int16, np.uint8])
def test_labels_packed_by_a_scale_are_what_they_were(tmp_path, kind):
    image = nibabel.Nifti1Image(np.float32([0, 1, 2, 1, 0, 2]).reshape(2, 3, 1), np.eye(4))
    image.set_data_dtype(kind)
    nibabel.save(image, tmp_path / "a.nii")
    assert nibabel.load(tmp_path / "a.nii").dataobj.slope != 1  # its writer has packed them
    mask = ImageRef(tmp_path / "a.nii")
    given = label_values(mask)
    assert given.dtype.kind == "i"
    assert sorted(given.ravel()) == [0, 0, 1, 1, 2, 2]
    assert read_labels(mask).tolist() == (given > 0).tolist()


@pytest.mark.parametrize(
    ("scale", "value"), [((0.25, 0.0), "0.25"), ((1.0, -1.0), "-1"), ((1.0, 0.5), "[01].5")]
)
def test_labels_that_a_scale_makes_no_labels_are_refused(tmp_path, scale, value):
    stored = np.array([0, 1], np.int16).reshape(1, 2, 1)
    mask = ImageRef(write_nifti(tmp_path / "a.nii", stored, slope=scale))
    for read in (read_labels, label_values):
        with pytest.raises(InputError, match=f"has the value {value} by the scale of its header"):
            read(mask)


def test_what_nibabel_has_to_say_of_a_header_is_not_on_the_terminal(tmp_path, caplog):
    path = write_nifti(tmp_path / "a.nii", BLOCK)
    data = bytearray(path.read_bytes())
    data[252:254] = b"\x7f\x7f"  # qform_code, of which there is no such number
    path.write_bytes(data)
    assert len(slices_of(path)) == BLOCK.shape[2]
    assert caplog.records == []
    nibabel.load(path)
    assert [record.name for record in caplog.records] == ["nibabel.global"]
