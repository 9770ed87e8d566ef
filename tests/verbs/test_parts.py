"""Parts of a data set as a user gives them: texts become paths, the rest stays."""

from __future__ import annotations

from pathlib import Path

from gradtrack_model.verbs.parts import Parts, as_paths


def test_texts_become_paths_where_a_path_is_meant():
    given: Parts = {
        "images": "pictures",
        "masks": None,
        "val_ids": Path("val.txt"),
        "fixations": ["a.parquet", Path("b.parquet")],
        "case": "patient",
        "allow_overlap": True,
    }
    assert as_paths(given) == {
        "images": Path("pictures"),
        "masks": None,
        "val_ids": Path("val.txt"),
        "fixations": (Path("a.parquet"), Path("b.parquet")),
        "case": "patient",
        "allow_overlap": True,
    }


def test_one_table_needs_no_list():
    assert as_paths({"fixations": "a.parquet"}) == {"fixations": (Path("a.parquet"),)}


def test_every_part_that_is_a_path_becomes_one():
    paths = {name for name, kind in Parts.__annotations__.items() if "Path" in str(kind)}
    single = paths - {"fixations"}
    found = as_paths(dict.fromkeys(single, "here"))
    assert found == dict.fromkeys(single, Path("here"))
