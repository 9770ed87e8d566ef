"""A study of two readers, its report, and a browser that is started once."""

import pytest

import gazetrack
from gazetrack.simulate.study import write_study
from tests import browser as browsers
from tests.report_files import write_hostile


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """Three readers of two images; one export is damaged, and one file is none."""
    found = write_study(tmp_path_factory.mktemp("study"), n_readers=3, n_images=2, seed=4)
    exports = found.folder / "exports"
    whole = found.exports[2].read_bytes()
    found.exports[2].write_bytes(whole[:3000])
    (exports / "notes.csv").write_text("a,b\nno,export\n")
    return found


@pytest.fixture(scope="session")
def tables(study, tmp_path_factory):
    """The fixation tables of the two readers, and maps of one level for each of their trials."""
    folder = tmp_path_factory.mktemp("tables")
    gazetrack.convert(study.exports[:2], out=folder)
    paths = gazetrack.find_tables(folder).paths
    gazetrack.render(paths, study.folder / "images", folder / "maps", size=(24, 32))
    return folder


@pytest.fixture(scope="session")
def page(study, tables, tmp_path_factory):
    """The report of the study; the image of the second trial is missing."""
    out = tmp_path_factory.mktemp("report") / "report.html"
    images = tmp_path_factory.mktemp("images")
    (images / "lesion-001.png").write_bytes(
        (study.folder / "images" / "lesion-001.png").read_bytes()
    )
    gazetrack.write_report(
        study.folder / "exports",
        out,
        errors="report",
        images=images,
        maps=tables / "maps",
        screen=gazetrack.Screen(1280, 1024, 376, 301, 600),
        thresholds=gazetrack.Thresholds(max_loss_percent=1, max_rms_deg=5),
    )
    return out


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory):
    folder = write_hostile(tmp_path_factory.mktemp("hostile"))
    out = tmp_path_factory.mktemp("hostile-report") / "report.html"
    gazetrack.write_report(
        folder, out, errors="report", title="</title><script>window.hit=1</script>"
    )
    return out


@pytest.fixture(scope="session")
def browser():
    driver = browsers.start()
    yield driver
    driver.quit()
