"""What may be opened: regular files alone, and gzip within limits."""

import gzip
import os
import tracemalloc

import pytest

import gazetrack
from gazetrack.errors import InputError, ParseError
from gazetrack.readers import opening
from gazetrack.readers.reading import Reading


class TestGzipLimits:
    """What a file may unpack to: just below a limit, at it, and just above it."""

    def unpacked(self, tmp_path, n, reading=None):
        path = tmp_path / "a.gz"
        path.write_bytes(gzip.compress(b"7" * n, 9))
        with opening.open_plain(path, reading or Reading()) as file:
            return len(file.read()), path.stat().st_size

    @pytest.mark.parametrize("step", [-1, 0, 1])
    def test_size(self, step, tmp_path, monkeypatch):
        monkeypatch.setattr(opening, "MAX_PLAIN_BYTES", 5_000)
        if step > 0:
            with pytest.raises(ParseError, match="unpacks to more than"):
                self.unpacked(tmp_path, 5_000 + step)
        else:
            assert self.unpacked(tmp_path, 5_000 + step)[0] == 5_000 + step

    @pytest.mark.parametrize("step", [-1, 0, 1])
    def test_ratio_counts_from_some_size_on(self, step, tmp_path, monkeypatch):
        n = 1_000_000
        monkeypatch.setattr(opening, "GZIP_RATIO_FROM_BYTES", n)
        monkeypatch.setattr(opening, "MAX_GZIP_RATIO", 2)
        if step > 0:
            with pytest.raises(ParseError, match="more than 2 times its size") as caught:
                self.unpacked(tmp_path, n + step)
            assert "--trust-gzip" in caught.value.hint
        else:
            assert self.unpacked(tmp_path, n + step)[0] == n + step

    @pytest.mark.parametrize("step", [-1, 0, 1])
    def test_ratio(self, step, tmp_path, monkeypatch):
        n = 1_000_000
        _, packed = self.unpacked(tmp_path, n)
        monkeypatch.setattr(opening, "GZIP_RATIO_FROM_BYTES", 0)
        monkeypatch.setattr(opening, "MAX_GZIP_RATIO", (n - step) / packed)
        if step > 0:
            with pytest.raises(ParseError, match="times its size"):
                self.unpacked(tmp_path, n)
        else:
            assert self.unpacked(tmp_path, n)[0] == n

    def test_trust(self, tmp_path, monkeypatch):
        monkeypatch.setattr(opening, "MAX_PLAIN_BYTES", 5_000)
        assert self.unpacked(tmp_path, 6_000, Reading(trust_gzip=True))[0] == 6_000

    def test_a_small_file_that_unpacks_to_gigabytes_is_refused_after_little_of_it(self, tmp_path):
        path = tmp_path / "a.csv.gz"
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(b"t,x,y\n0,1,2\n20,1,2\n")
            for _ in range(100):
                file.write(b"\n" * (1 << 20))
        with pytest.raises(ParseError, match="more than 200 times its size") as caught:
            gazetrack.read(path)
        assert caught.value.byte < opening.GZIP_RATIO_FROM_BYTES + 2 * opening.BLOCK_BYTES

    def test_blank_lines_are_read_in_no_time_where_the_file_is_trusted(self, tmp_path):
        path = tmp_path / "a.csv.gz"
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(b"t,x,y\n0,1,2\n20,1,2\n")
            for _ in range(100):
                file.write(b"\n" * (1 << 20))
            file.write(b"40,1,2\n")
        tracemalloc.start()
        recording = gazetrack.read(path, trust_gzip=True)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert recording.sample_table.num_rows == 3
        assert peak < 100 * 1024**2


def opened(path, **how):
    return opening.open_plain(path, Reading(**how))


class TestWhatIsNoFile:
    """Nothing but a regular file is opened, and each other thing is called what it is."""

    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match="no such file - check the name and the folder"):
            opened(tmp_path / "a.csv")

    def test_below_a_file(self, tmp_path):
        (tmp_path / "a.csv").write_bytes(b"t,x,y\n")
        with pytest.raises(InputError, match="cannot be opened: Not a directory"):
            opened(tmp_path / "a.csv" / "b.csv")

    def test_folder(self, tmp_path):
        with pytest.raises(InputError, match="is a folder - name the files in it"):
            opened(tmp_path)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    def test_pipe_that_nobody_writes_to(self, tmp_path):
        os.mkfifo(tmp_path / "a.csv")
        with pytest.raises(InputError, match="is not a regular file - copy its content"):
            opened(tmp_path / "a.csv")


@pytest.mark.parametrize("size", [50_000, -1])
def test_a_disk_that_fails_is_an_error_about_the_file(size, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"0,1,2\n" * 100_000)
    with opened(path) as file:
        # From now on every read of the file fails, as a folder has no bytes.
        folder = os.open(tmp_path, os.O_RDONLY)
        os.dup2(folder, file.fileno())
        os.close(folder)
        with pytest.raises(InputError, match=r"a\.csv: cannot be read: Is a directory"):
            file.read(size)


class TestDamagedGzip:
    """A stream that is cut off, or whose bytes have changed."""

    PLAIN = b"".join(b"%d,1,2\n" % row for row in range(20_000))

    def written(self, tmp_path, data):
        path = tmp_path / "a.csv.gz"
        path.write_bytes(data)
        return path

    def test_cut_off(self, tmp_path):
        path = self.written(tmp_path, gzip.compress(self.PLAIN, mtime=0)[:-2_000])
        with opened(path) as file, pytest.raises(ParseError, match="ends in the middle") as caught:
            file.read()
        assert "--salvage" in caught.value.hint

    def test_cut_off_and_to_be_salvaged(self, tmp_path):
        path = self.written(tmp_path, gzip.compress(self.PLAIN, mtime=0)[:-2_000])
        reading = Reading(salvage=True)
        with opening.open_plain(path, reading) as file:
            data = file.read(None)
        assert len(self.PLAIN) // 2 < len(data) < len(self.PLAIN)
        assert self.PLAIN.startswith(data)
        assert reading.notes == ["the gzip stream ends in the middle: read up to there"]

    def test_another_checksum(self, tmp_path):
        packed = bytearray(gzip.compress(self.PLAIN, mtime=0))
        packed[-8] ^= 1
        what = "damaged gzip: its checksum does not fit"
        path = self.written(tmp_path, packed)
        with opened(path) as file, pytest.raises(ParseError, match=what):
            file.read()

    def test_no_gzip_behind_its_first_bytes(self, tmp_path):
        what = "damaged gzip: Unknown compression method"
        path = self.written(tmp_path, b"\x1f\x8bnothing else")
        with opened(path) as file, pytest.raises(ParseError, match=what):
            file.read()
