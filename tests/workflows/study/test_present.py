"""Of the tables in a folder, those of present recordings are known and the others are named."""

from __future__ import annotations

from gazetrack.workflows.engine.manifest import Manifest
from gazetrack.workflows.study.present import Present


def test_tables_that_no_step_tells_of_are_named(tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.fixations.parquet").write_text("")
    with Manifest(tmp_path / "steps.jsonl") as known:
        present = Present(folder, ["convert", "fixations"])
        present.recall(known)
        assert len(present.tables()) == 3  # nothing is known of any
        assert present.notes() == ()
        elsewhere = tmp_path / "b.fixations.parquet"
        present.tell(known, "convert", [folder / "a.fixations.parquet", elsewhere])
        assert [path.name for path in present.tables()] == ["a.fixations.parquet"]
        (note,) = present.notes()
        assert "2 tables in" in note
        assert "b.fixations.parquet, c.fixations.parquet; they are not used" in note
    with Manifest(tmp_path / "steps.jsonl", read_only=True) as known:
        again = Present(folder, ["convert", "fixations"])
        again.recall(known)
        assert again.tables() == present.tables()
