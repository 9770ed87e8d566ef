"""What may be opened: regular files alone, and gzip within limits."""

import gzip
import tracemalloc

import pytest

import gazetrack
from gazetrack.errors import ParseError
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
