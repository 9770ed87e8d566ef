"""SMI raw samples in parts: movements that reach across them, stimuli of messages, lost eyes."""

import pytest

from tests.parts import grown, same_in_parts

HEAD = """## Subject:\tP4
## Sample Rate:\t250
Time\tType\tTrial\tL Mapped Diameter [mm]\tL POR X [px]\tL POR Y [px]\tR Mapped Diameter [mm]\t\
R POR X [px]\tR POR Y [px]\tL Event Info\tR Event Info
"""


def rows(lost, n=150):
    for i in range(n):
        t = 1_000_000 + 4000 * i
        if i % 45 == 0:
            yield f"{t - 5}\tMSG\t{1 + i // 45}\t# Message: image_{i // 45}.png\n"
        if i % 31 == 4:
            yield f"{t - 4}\tMSG\t{1 + i // 45}\t# Message: key {i}\n"
        left = ("Fixation", "Saccade", "-")[i // 13 % 3]
        right = ("Fixation", "Blink")[i // 17 % 2]
        x = 0.0 if i in lost else 900 + i / 7
        yield (
            f"{t}\tSMP\t{1 + i // 45}\t3.{i}\t{x:.2f}\t{0.0 if x == 0 else 500 + i / 3:.2f}\t3.1"
            f"\t{700 + i / 9:.2f}\t{300 + i / 11:.2f}\t{left}\t{right}\n"
        )


@pytest.mark.parametrize("lost", [(), (80,)])
def test_parts_make_the_same_recording(tmp_path, monkeypatch, lost):
    path = tmp_path / "raw.txt"
    path.write_text(HEAD + "".join(rows(lost)))
    found = same_in_parts(path, monkeypatch)
    kinds = found.events.groupby(["eye", "kind"], observed=True).size()
    assert kinds["left", "fixation"] >= 4
    assert kinds["right", "blink"] >= 4
    assert found.events["onset_ms"].is_monotonic_increasing
    assert set(found.samples["stimulus"]) == {f"image_{n}.png" for n in range(4)}
    assert any("runs of Event Info" in note for note in found.notes)


def test_a_grown_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("smi", tmp_path / "raw.txt"), monkeypatch)
    assert len(found.samples) > 500
