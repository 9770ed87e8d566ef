"""Made-up tables with the columns of public data sets: nothing in them was recorded."""

from __future__ import annotations

from typing import NamedTuple


class Table(NamedTuple):
    """A made-up table.

    Attributes
    ----------
    layout : str
        The layout it has.
    file : str
        Its name, as the data set calls such files.
    text : str
        What stands in it.
    pymovements : str
        What pymovements calls the data set, empty where it reads no such table.
    """

    layout: str
    file: str
    text: str
    pymovements: str


def _text(header, rows, mark=","):
    lines = ([header] if header else []) + [mark.join(map(str, row)) for row in rows]
    return "\n".join(line.replace(",", mark) if line is header else line for line in lines) + "\n"


def _gazebase():
    rows = [[i, -16 + 0.25 * i, 5.5 - 0.125 * i, 0, 3000 + i, 1, 0, 0] for i in range(40)]
    rows[7] = [7, "NaN", "NaN", 1, "NaN", 3, 0, 0]
    return _text("n,x,y,val,dP,lab,xT,yT", rows)


def _gazebase_vr():
    header = "n,x,y,lx,ly,rx,ry,xT,yT,zT,clx,cly,clz,crx,cry,crz"
    eyes = [[0.5 + i / 8, -5.0 - i / 8, 3.5, -4.25, -2.0, -5.25] for i in range(20)]
    return _text(header, [[4.0 * i, *eye, 0, 0, 0.4, *[0] * 6] for i, eye in enumerate(eyes)])


def _judo1000():
    # The second trial begins its clock anew; the left eye is lost once.
    rows = [
        [1 + i // 10, 1, 500 + i % 10, 600 + i, 500, 610 + i, 501.5, 640, 512] for i in range(20)
    ]
    rows[3][3:5] = ["NaN", "NaN"]
    header = "trialId,pointId,time,x_left,y_left,x_right,y_right,xLocation,yLocation"
    return _text(header, rows, "\t")


def _sb_sat():
    rows = [["dickens", 1 + i // 10, 5000 + i, 274.5 + i, 108.25, 2372] for i in range(20)]
    return _text("book_name,screen_id,time,x_left,y_left,pupil_left", rows, "\t")


def _hbn():
    return _text("x_pix,y_pix,time", [[452.75 + i, 367.5, i] for i in range(24)])


def _emtec():
    header = "item_id,TRIAL_ID,Trial_Index_,model,decoding_strategy,time,x,y,pupil_right"
    rows = [
        ["item01", 1, 1, "phi2", "beam", 1000 + i // 2, 116.25 + i, 216.5, 407] for i in range(20)
    ]
    return _text(header, rows, "\t")


def _potec():
    rows = [[2_076_105 + i, 91.75 + i, 67.25, 1746] for i in range(20)]
    return _text("time,x,y,pupil_diameter", rows, "\t")


def _copco():
    rows = [[100 + i, 900.5 + i, 400.0, 800, 2, 7] for i in range(20)]
    return _text("time,x_right,y_right,pupil_right,paragraph_id,speech_id", rows)


def _gaze_on_faces():
    return _text("", [[600.5 + i, 500.25] for i in range(20)])


def _pvt():
    header = (
        "trial_id,block_id,x_pix_eyelink,y_pix_eyelink,eyelink_timestamp,"
        "x_pix_pupilcore_interpolated,y_pix_pupilcore_interpolated,pupil_size_eyelink,"
        "target_distance,pupil_size_pupilcore_interpolated,pupil_confidence_interpolated,"
        "time_to_prev_bac,time_to_next_bac,prev_bac,next_bac"
    )
    rest = [1550.0, 772.75, 34.5, 0.75, 113139.0, 812840.0, 0.0625, 0.03125]
    rows = [
        [6.0, 1.0, 991.5 - i, 485.25, 18_126_651 + i, 966.5, 573.25 + i, *rest] for i in range(20)
    ]
    return _text(header, rows)


def _etdd70():
    rows = [[1_000_000 + 4000 * i, 600.5 + i, 500.25, 602.5 + i, 501.25] for i in range(20)]
    return _text("time,gaze_x_left,gaze_y_left,gaze_x_right,gaze_y_right", rows)


def _toy():
    rows = [[1_988_145 + i, 206.75 + i, 152.5, -1, -1] for i in range(20)]
    rows[3][1:3] = ["-32768.00", "-32768.00"]
    return _text("timestamp,x,y,stimuli_x,stimuli_y", rows, "\t")


def _mcfw():
    names = [
        f"{eye}_gaze_point_on_display_area_{axis}" for eye in ("left", "right") for axis in "xy"
    ]
    rows = [[8_000_000 + 8333 * i, 0.25, 0.5 + i / 64, 0.375, 0.5 + i / 64] for i in range(20)]
    rows[2][1:3] = ["nan", "nan"]
    return _text(",".join(["device_time_stamp", *names]), rows, "\t")


def _ggtg():
    rows = [["text 1", 700 + i, 300.5 + i, 200.25] for i in range(20)]
    return _text("stimulus,time,pixel_x,pixel_y", rows)


def _fake_news():
    header = (
        "starttime,duration,eventType,eventIdx,meanPupilDiameter,meanX,meanY,"
        "startSaccadeX,startSaccadeY,endSaccadeX,endSaccadeY"
    )
    none = ["NaN"] * 4
    rows = [
        [1_000_000, 38, "Saccade", 1, 0.98, "NaN", "NaN", 980, 558, 628, 533],
        [1_040_000, 122, "Fixation", 1, 0.93, 665, 529, *none],
        [1_170_000, 40, "Saccade", 2, 0.9, "NaN", "NaN", 658, 524, 378, 509],
        [1_210_000, 215, "Fixation", 2, 0.89, 396, 504, *none],
    ]
    return _text(header, rows)


TABLES = (
    Table("gazebase", "S_1001_S1_FXS.csv", _gazebase(), "GazeBase"),
    Table("gazebase_vr", "S_1002_S2_5_RAN.csv", _gazebase_vr(), "GazeBaseVR"),
    Table("judo1000", "12_3.csv", _judo1000(), "JuDo1000"),
    Table("sb_sat", "msd001.csv", _sb_sat(), "SBSAT"),
    Table("hbn", "NDARAA112233_Fractals.csv", _hbn(), "HBN"),
    Table("emtec", "ET_01.csv", _emtec(), "EMTeC"),
    Table("potec", "reader7_b0_raw_data.tsv", _potec(), "PoTeC"),
    Table("copco", "P10.csv", _copco(), "CopCo"),
    Table("gaze_on_faces", "gaze_sub1_trial2.csv", _gaze_on_faces(), "GazeOnFaces"),
    Table("potsdam_binge_remote", "1_2_alcohol_6_1.csv", _pvt(), "PotsdamBingeRemotePVT"),
    Table("potsdam_binge_wearable", "1_2_alcohol_6_1.csv", _pvt(), "PotsdamBingeWearablePVT"),
    Table("etdd70", "Subject_1003_T1_Syllables_raw.csv", _etdd70(), "ETDD70"),
    Table("pymovements_toy", "trial_1_2.csv", _toy(), "ToyDataset"),
    Table("mcfw_gaze", "news.tsv", _mcfw(), "MCFW-Gaze"),
    Table("ggtg", "P13.csv", _ggtg(), "GGTG"),
    Table("fake_news", "P1_S2_fake.csv", _fake_news(), ""),
)
BY_LAYOUT = {table.layout: table for table in TABLES}
