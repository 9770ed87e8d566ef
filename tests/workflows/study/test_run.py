"""Steps are taken where something has changed, and a run that was stopped goes on."""

from __future__ import annotations

import os

import pytest

from gazetrack.errors import DataError, LockedError, OutputError
from gazetrack.workflows.engine.manifest import Manifest
from gazetrack.workflows.study.run import STEPS_FILE, Done, Job, Told, plan_jobs, run_jobs


class Heard(Told):
    """Remembers what it is told."""

    def __init__(self):
        self.told = []

    def goes_on(self, step):
        self.told.append(f"goes on in {step}")

    def begins(self, job, why):
        self.told.append(f"{job.name}: {why}")
        return super().begins(job, why)


@pytest.fixture
def study(tmp_path):
    """Two steps: the first copies a file in capitals, the second counts its letters."""

    class Study:
        notes = tmp_path / "log"

        def __init__(self):
            self.parameters = {"ending": "!"}

        def jobs(self):
            def copy(progress):
                progress(0, 1)
                (tmp_path / "copy").write_text((tmp_path / "raw").read_text().upper())
                return Done(recordings=1)

            def count(_progress):
                (tmp_path / "counts").mkdir(exist_ok=True)
                (tmp_path / "counts" / "n").write_text(str(len((tmp_path / "copy").read_text())))
                (tmp_path / "beside").write_text("x")
                return Done(recordings=1, outputs=(tmp_path / "beside",))

            return [
                Job(name="copy", work=copy, where=tmp_path / "copy", reads=(tmp_path / "raw",)),
                Job(
                    name="count",
                    work=count,
                    where=tmp_path / "counts",
                    after=("copy",),
                    reads=(tmp_path / "copy",),
                    parameters=self.parameters,
                ),
            ]

        def run(self):
            heard = Heard()
            self.results = run_jobs(self.jobs(), self.notes, heard)
            return heard.told

        def plan(self):
            return {job.name: why for job, why in plan_jobs(self.jobs(), self.notes)}

    (tmp_path / "raw").write_text("abc")
    return Study()


def test_a_second_run_does_nothing(study, tmp_path):
    assert study.plan() == {"copy": "new", "count": "new"}
    assert not study.notes.exists()
    assert study.run() == ["copy: new", "count: new"]
    assert [(each.made, each.kept) for each in study.results] == [(1, 0), (1, 0)]
    before = (tmp_path / "counts" / "n").stat().st_mtime_ns
    assert study.run() == ["copy: ", "count: "]
    assert [(each.made, each.kept) for each in study.results] == [(0, 1), (0, 1)]
    assert (tmp_path / "counts" / "n").stat().st_mtime_ns == before
    assert study.plan() == {"copy": "", "count": ""}


def test_only_what_has_changed_is_done_again(study, tmp_path):
    study.run()
    os.utime(tmp_path / "raw", (1, 1))  # the same bytes at another time
    assert study.run() == ["copy: ", "count: "]
    (tmp_path / "raw").write_text("xyz")
    assert study.plan() == {"copy": "its files have changed", "count": "after copy"}
    assert study.run() == ["copy: its files have changed", "count: its files have changed"]
    study.parameters = {"ending": "?"}
    assert study.run() == ["copy: ", "count: other parameters: ending"]
    (tmp_path / "counts" / "n").unlink()
    assert study.run() == ["copy: ", "count: ../counts/n is not there"]
    (tmp_path / "beside").write_text("y")
    assert study.run() == ["copy: ", "count: ../beside has changed"]


def test_other_names_are_other_files(study, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("x")
    jobs = [
        Job(
            name="look",
            work=lambda _: (tmp_path / "seen").write_text("x") and Done(recordings=2),
            where=tmp_path / "seen",
            reads=(tmp_path / "folder",),
        )
    ]
    run_jobs(jobs, study.notes)
    assert [why for _, why in plan_jobs(jobs, study.notes)] == [""]
    (tmp_path / "folder" / ".hidden").write_text("x")
    assert [why for _, why in plan_jobs(jobs, study.notes)] == [""]
    (tmp_path / "folder" / "a").rename(tmp_path / "folder" / "b")
    assert [why for _, why in plan_jobs(jobs, study.notes)] == ["other files"]
    (tmp_path / "folder" / "c").write_text("y")
    assert [why for _, why in plan_jobs(jobs, study.notes)] == ["other files"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_run_that_was_stopped_says_so_and_goes_on(study, stop):
    def stopped(_progress):
        raise stop

    first, second = study.jobs()
    halted = Job(name="count", work=stopped, where=second.where)
    with pytest.raises(stop):
        run_jobs([first, halted], study.notes)
    assert study.run() == ["goes on in count", "copy: ", "count: new"]
    assert study.run() == ["copy: ", "count: "]


def test_a_step_that_fails_is_tried_again_and_those_that_need_it_wait(study, tmp_path):
    (tmp_path / "raw").unlink()
    first, second = study.jobs()

    def fails(_progress):
        raise DataError("no raw file")

    broken = Job(name="copy", work=fails, where=first.where, reads=first.reads)
    alone = Job(name="other", work=lambda _: Done(recordings=1), where=tmp_path / "other")
    results = run_jobs([broken, second, alone], study.notes)
    assert [(each.step, each.exit_code, each.waits_for) for each in results] == [
        ("copy", DataError.exit_code, ""),
        ("count", 1, "copy"),
        ("other", 0, ""),
    ]
    assert [str(error) for error in results[0].errors] == ["no raw file [DATA]"]
    (tmp_path / "raw").write_text("abc")
    assert study.run() == ["copy: new", "count: new"]


def test_of_a_step_that_failed_in_part_the_rest_is_used_and_it_is_taken_again(study):
    error = DataError("one is bad")
    first, second = study.jobs()

    def half(progress):
        first.work(progress)
        return Done(recordings=3, errors=(error,), exit_code=1)

    partly = Job(name="copy", work=half, where=first.where, reads=first.reads)
    results = run_jobs([partly, second], study.notes)
    assert [(each.made, each.failed, each.waits_for) for each in results] == [
        (2, 1, ""),
        (1, 0, ""),
    ]
    assert [why for _, why in plan_jobs([partly], study.notes)] == ["new"]


@pytest.mark.parametrize(
    ("done", "counts"),
    [
        (Done(recordings=5, left=2), (2, 3, 0)),
        (Done(recordings=5, left=0), (0, 5, 0)),
        (Done(recordings=5, skipped=2, left=2), (0, 5, 0)),
        (Done(recordings=5, left=3, errors=(DataError("x"),), exit_code=1), (2, 2, 1)),
        (Done(recordings=1, left=1, errors=(DataError("x"),), exit_code=4), (0, 0, 1)),
        (Done(), (None, None, 0)),
    ],
)
def test_a_command_that_goes_on_by_itself_tells_what_it_kept(study, tmp_path, done, counts):
    job = Job(name="convert", work=lambda _: done, where=tmp_path, plan=lambda: (2, 5))
    (result,) = run_jobs([job], study.notes)
    assert (result.made, result.kept, result.failed) == counts
    assert [why for _, why in plan_jobs([job], study.notes)] == ["2 of 5 recordings"]
    job = Job(name="convert", work=lambda _: done, where=tmp_path, plan=lambda: (0, 5))
    assert [why for _, why in plan_jobs([job], study.notes)] == [""]


def test_what_cannot_be_noted_is_always_done(study, tmp_path):
    (tmp_path / "x").write_text("x")
    job = Job(name="render", work=lambda _: Done(), where=tmp_path / "x", unnoted="far away")
    for _ in range(2):
        (result,) = run_jobs([job], study.notes)
        assert result.why == "far away"


def test_two_runs_do_not_work_on_one_study(study):
    study.notes.mkdir()
    with Manifest(study.notes / STEPS_FILE), pytest.raises(LockedError):
        study.run()


def test_a_strange_file_in_the_place_of_the_notes_is_left_alone(study):
    study.notes.mkdir()
    (study.notes / STEPS_FILE).write_text("mine\n")
    with pytest.raises(OutputError, match="is there and is no manifest"):
        study.run()
    assert (study.notes / STEPS_FILE).read_text() == "mine\n"
