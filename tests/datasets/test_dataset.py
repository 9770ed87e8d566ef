from gazetrack.datasets.dataset import DataFile, DataSet


def data_set(**more):
    files = (
        DataFile(url="https://x/a", name="a.zip", content="gaze", layouts=("p", "q")),
        DataFile(url="https://x/b", name="b.csv", content="fixations", layouts=("q",)),
    )
    return DataSet(
        name="s", title="S", about="", home="https://x", citation="C", files=files, **more
    )


def test_an_unknown_licence_says_where_to_look():
    assert "at its home" in data_set().terms
    assert data_set(licence="CC0").terms == "CC0"


def test_layouts_are_there_once():
    assert data_set().layouts == ("p", "q")


def test_archives_are_known_by_their_names():
    assert [file.is_archive for file in data_set().files] == [True, False]
