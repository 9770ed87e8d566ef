"""gazetrack report."""

import pytest

from gazetrack.simulate.study import write_study


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path, n_readers=2, n_images=1, seed=2)


def test_a_folder_becomes_a_page_and_says_where(run, study):
    done = run("gazetrack report exports --images images --max-loss 1.5 --title 'My study'")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("wrote report.html (2 recordings, 2 trials; ")
    text = (study.folder / "report.html").read_text("utf-8")
    assert "<title>My study</title>" in text
    assert "lost ≤ 1.5 %" in text


def test_every_limit_and_the_detector_reach_the_page(run, study):
    limits = "--max-gap 75 --max-rms 0.5 --max-std 0.6 --min-rate 100 --min-fixations 3"
    screen = "--screen 1280x1024,376x301mm,600mm"
    done = run(f"gazetrack report exports {limits} {screen} --set min_duration_ms=70 -o r.html -q")
    assert (done.code, done.out, done.err) == (0, "", "")
    text = (study.folder / "r.html").read_text("utf-8")
    for told in ("gap ≤ 75 ms", "S2S ≤ 0.5", "STD ≤ 0.6", "rate ≥ 100", "fixations ≥ 3"):
        assert told in text
    assert "detected by auto" in text
    assert "min_duration_ms=70" in text


def test_a_damaged_export_is_a_row_and_exit_code_1(run, study):
    whole = study.exports[1].read_bytes()
    study.exports[1].write_bytes(whole[:3000])
    done = run("gazetrack report exports")
    assert done.code == 1
    assert "1 not read" in done.out
    assert done.err.count("gazetrack: error: ") == 1
    assert "reader-02.asc:" in done.err


def test_a_folder_without_a_readable_export_is_one_line(run, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("nothing\n")
    done = run("gazetrack report empty")
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "no report was written" in done.err
    assert not (tmp_path / "report.html").exists()


def test_missing_images_are_said(run, study):
    for image in (study.folder / "images").iterdir():
        image.unlink()
    done = run("gazetrack report exports --images images")
    assert done.code == 0
    assert "note: 1 stimuli have no image" in done.out


@pytest.mark.parametrize("policy", ["hash", "drop"])
def test_names_of_participants_are_nowhere(run, study, policy):
    done = run(f"gazetrack report exports --participant {policy} -o r.html")
    assert done.code == 0
    text = (study.folder / "r.html").read_text("utf-8")
    assert "reader-0" not in text + done.out + done.err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--max-loss -1", "--max-loss"),
        ("--max-loss much", "--max-loss"),
        ("--detector none", "--detector"),
        ("--set speed=3", "--set"),
        ("--screen large", "--screen"),
    ],
)
def test_a_wrong_option_is_named(run, study, line, told):
    done = run(f"gazetrack report exports {line}")
    assert done.code == 2
    assert told in done.err
    assert not (study.folder / "report.html").exists()


def test_another_file_is_not_replaced(run, study):
    (study.folder / "report.html").write_text("mine")
    done = run("gazetrack report exports")
    assert done.code == 3
    assert "--force" in done.err
    assert run("gazetrack report exports --force").code == 0
