"""The public data sets that are known by name.

Addresses and digests are those that pymovements 0.28 states (github.com/pymovements/pymovements,
``src/pymovements/datasets``, MIT). A licence stands here where its makers' own page or paper, or
who looked at them, says it; where it was not found, it says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.datasets.dataset import DataFile, DataSet

if TYPE_CHECKING:
    from collections.abc import Mapping

_OSF_ZIP = "https://files.de-1.osf.io/v1/resources/ud8s5/providers/osfstorage"

_ALL = (
    DataSet(
        name="gazebase",
        title="GazeBase",
        about="322 students in up to 9 rounds over 37 months: fixating, saccades, reading, videos",
        home="https://doi.org/10.6084/m9.figshare.12912257",
        citation=(
            "Griffith, Lohr, Abdulin, Komogortsev (2021): GazeBase, a large-scale, multi-stimulus, "
            "longitudinal eye movement dataset. Scientific Data 8, 184. "
            "doi:10.1038/s41597-021-00959-y"
        ),
        licence="CC BY 4.0",
        files=(
            DataFile(
                url="https://figshare.com/ndownloader/files/27039812",
                name="GazeBase_v2_0.zip",
                md5="cb7eb895fb48f8661decf038ab998c9a",
                content="gaze",
                layouts=("gazebase",),
            ),
        ),
    ),
    DataSet(
        name="gazebase_vr",
        title="GazeBaseVR",
        about="407 people with a headset for virtual reality: vergence, pursuit, video, reading",
        home="https://doi.org/10.6084/m9.figshare.21308391",
        citation=(
            "Lohr, Aziz, Friedman, Komogortsev (2023): GazeBaseVR, a large-scale, longitudinal, "
            "binocular eye-tracking dataset collected in virtual reality. Scientific Data 10, 177. "
            "doi:10.1038/s41597-023-02075-5"
        ),
        licence="CC BY 4.0",
        files=(
            DataFile(
                url="https://figshare.com/ndownloader/files/38844024",
                name="gazebasevr.zip",
                md5="048c04b00fd64347375cc8d37b451a22",
                content="gaze",
                layouts=("gazebase_vr",),
            ),
        ),
    ),
    DataSet(
        name="judo1000",
        title="JuDo1000",
        about="150 people in four sessions, following a dot that jumps",
        home="https://osf.io/5zpvk/",
        citation=(
            "Makowski, Jäger, Prasse, Scheffer (2020): JuDo1000 Eye Tracking Data Set. "
            "doi:10.17605/OSF.IO/5ZPVK"
        ),
        licence="terms of its own, in license.txt at its home",
        files=(
            DataFile(
                url="https://osf.io/download/4wy7s/",
                name="JuDo1000.zip",
                md5="b8b9e5bb65b78d6f2bd260451cdd89f8",
                content="gaze",
                layouts=("judo1000",),
            ),
        ),
    ),
    DataSet(
        name="sb_sat",
        title="Stony Brook SAT reading fixation dataset (SB-SAT)",
        about="students reading passages of a test and answering questions",
        home="https://github.com/ahnchive/SB-SAT",
        citation=(
            "Ahn, Kelton, Balasubramanian, Zelinsky (2020): Towards predicting reading "
            "comprehension from gaze behavior. ETRA 2020. doi:10.1145/3379156.3391335"
        ),
        files=(
            DataFile(
                url="https://osf.io/download/jgae7/",
                name="sbsat_csvs.zip",
                md5="a6ef1fb0ecced683cdb489c3bd3e1a5c",
                content="gaze",
                layouts=("sb_sat",),
            ),
            DataFile(
                url="https://raw.githubusercontent.com/ahnchive/SB-SAT/master/fixation/18sat_fixfinal.csv",
                name="18sat_fixfinal.csv",
                md5="4cf3212a71e6fc2fbe7041ce7c691927",
                content="fixations",
                layouts=("sb_sat_fixations",),
            ),
        ),
    ),
    DataSet(
        name="hbn",
        title="Healthy Brain Network (HBN), gaze",
        about="children and adolescents watching four videos",
        home="https://osf.io/qknuv/",
        citation=(
            "Alexander and others (2017): An open resource for transdiagnostic research in "
            "pediatric mental health and learning disorders. Scientific Data 4, 170181. "
            "doi:10.1038/sdata.2017.181"
        ),
        files=(
            DataFile(
                url="https://files.osf.io/v1/resources/qknuv/providers/osfstorage/651190031e76a453918a9971",
                name="data.zip",
                md5="2c523e911022ffc0eab700e34e9f7f30",
                content="gaze",
                layouts=("hbn",),
            ),
        ),
    ),
    DataSet(
        name="emtec",
        title="Eye movements on Machine-generated Texts Corpus (EMTeC)",
        about="107 native speakers of English reading texts that language models wrote",
        home="https://github.com/DiLi-Lab/EMTeC",
        citation=(
            "Bolliger, Haller, Cretton, Reich, Kew, Jäger (2025): EMTeC: A corpus of eye movements "
            "on machine-generated texts. Behavior Research Methods 57. "
            "doi:10.3758/s13428-025-02677-4"
        ),
        files=(
            DataFile(
                url="https://osf.io/download/374sk/",
                name="subject_level_data.zip",
                md5="dca99e47ef43f3696acec4fd70967750",
                content="gaze",
                layouts=("emtec",),
            ),
        ),
    ),
    DataSet(
        name="potec",
        title="Potsdam Textbook Corpus (PoTeC)",
        about="75 students of physics and biology reading 12 texts of textbooks in German",
        home="https://github.com/DiLi-Lab/PoTeC",
        citation=(
            "Jakobi, Kern, Reich, Haller, Jäger (2025): PoTeC: A German naturalistic "
            "eye-tracking-while-reading corpus. Behavior Research Methods 57, 211. "
            "doi:10.3758/s13428-024-02536-8"
        ),
        files=(
            DataFile(
                url="https://osf.io/download/tgd9q/",
                name="PoTeC.zip",
                md5="cffd45039757c3777e2fd130e5d8a2ad",
                content="gaze",
                layouts=("potec",),
            ),
        ),
    ),
    DataSet(
        name="copco",
        title="Copenhagen Corpus of Eye-Tracking Recordings from Natural Reading (CopCo)",
        about="native speakers, with and without dyslexia, and learners reading Danish speeches",
        home="https://osf.io/ud8s5/",
        citation=(
            "Hollenstein, Barrett, Björnsdóttir (2022): The Copenhagen Corpus of Eye Tracking "
            "Recordings from Natural Reading of Danish Texts. LREC 2022, 1712-1720"
        ),
        licence="'free to use for everyone', says its home; no licence is named",
        files=(
            DataFile(
                url="https://osf.io/download/bg9r4/",
                name="csvs.zip",
                md5="9dc3276714397b7fccac1e179a14c52b",
                content="gaze",
                layouts=("copco",),
            ),
            DataFile(
                url=f"{_OSF_ZIP}/61e13174c99ebd02df017c14/?zip=",
                name="FixationReports.zip",
                content="fixations",
                layouts=("copco_fixations",),
            ),
        ),
    ),
    DataSet(
        name="gaze_on_faces",
        title="GazeOnFaces",
        about="visitors of a museum looking at videos of faces",
        home="https://osf.io/akxd8/",
        citation=(
            "Coutrot, Binetti, Harrison, Mareschal, Johnston (2016): Face exploration dynamics "
            "differentiate men and women. Journal of Vision 16 (14), 16. doi:10.1167/16.14.16"
        ),
        files=(
            DataFile(
                url="https://files.osf.io/v1/resources/akxd8/providers/osfstorage/?zip=",
                name="database3_sciencemuseum.zip",
                content="gaze",
                layouts=("gaze_on_faces",),
            ),
        ),
    ),
    DataSet(
        name="potsdam_binge",
        title="Potsdam Binge PVT",
        about="57 people, sober and after alcohol, at a test of vigilance, with two trackers",
        home="https://osf.io/qf7e6/",
        citation="see its home",
        files=tuple(
            DataFile(
                url=f"https://osf.io/download/{code}/",
                name=f"{name}.zip",
                md5=md5,
                content="gaze",
                layouts=("potsdam_binge_remote", "potsdam_binge_wearable"),
            )
            for name, code, md5 in (
                ("alcohol", "9vbs8", "87c6c74a9a17cbd093b91f9415e8dd9d"),
                ("baseline", "yqukn", "54038547b1a373253b38999a227dde63"),
                ("enrollment", "yf2xa", "a0d0203cbb273f6908c1b52a42750551"),
            )
        ),
    ),
    DataSet(
        name="etdd70",
        title="Eye-Tracking Dyslexia Dataset (ETDD70)",
        about="70 Czech children, with and without dyslexia, reading three texts",
        home="https://doi.org/10.5281/zenodo.13332134",
        citation=(
            "Sedmidubský, Dostálová, Švaříček, Culemann (2024): ETDD70: Eye-Tracking Dataset for "
            "Classification of Dyslexia using AI-based Methods. SISAP 2024"
        ),
        files=(
            DataFile(
                url="https://zenodo.org/api/records/13332134/files-archive",
                name="edd_raw.zip",
                content="gaze",
                layouts=("etdd70",),
            ),
        ),
    ),
    DataSet(
        name="ggtg",
        title="Gaze-Guided Text Generation (GGTG)",
        about="native and other speakers of English reading generated texts of several pages",
        home="https://osf.io/rhgbk/",
        citation="see its home",
        files=(
            DataFile(
                url="https://osf.io/download/wdeq7/",
                name="samples.zip",
                md5="e26d81a46b7ffcdc3d0e8a0f069020c3",
                content="gaze",
                layouts=("ggtg",),
            ),
        ),
    ),
    DataSet(
        name="mcfw_gaze",
        title="Multi-Context Free-Viewing and Web-Browsing Gaze Dataset (MCFW-Gaze)",
        about="15 people looking at images, typing passwords with the eyes, and browsing the web",
        home="https://zenodo.org/records/20300972",
        citation="doi:10.1145/3797246.3806660 (ETRA 2026)",
        files=(
            DataFile(
                url="https://zenodo.org/records/20300972/files/dataset.zip?download=1",
                name="dataset.zip",
                md5="5e04a7b5e50f7508775e1daea527246b",
                content="gaze",
                layouts=("mcfw_gaze",),
            ),
        ),
    ),
    DataSet(
        name="fake_news",
        title="FakeNewsPerception",
        about="25 people reading 60 items of news and saying whether they believe them",
        home="https://dataverse.harvard.edu/file.xhtml?fileId=4200164",
        citation=(
            "Sümer, Bozkir, Kübler, Grüner, Utz, Kasneci (2021): FakeNewsPerception: An eye "
            "movement dataset on the perceived believability of news stories. Data in Brief 35"
        ),
        files=(
            DataFile(
                url="https://dataverse.harvard.edu/api/access/datafile/4200164",
                name="D3-Eye-movements-data.zip",
                md5="ab009f28cd703f433e9b6c02b0bb38d2",
                content="fixations",
                layouts=("fake_news",),
            ),
        ),
    ),
    DataSet(
        name="onestop",
        title="OneStop Eye Movements",
        about="360 native speakers of English reading articles in four ways",
        home="https://github.com/lacclab/OneStop-Eye-Movements",
        citation=(
            "Berzak, Malmaud, Shubi, Meiri, Lion, Levy (2025): OneStop: A 360-Participant English "
            "Eye Tracking Dataset with Different Reading Regimes. doi:10.31234/osf.io/kgxv5_v1"
        ),
        files=(
            DataFile(
                url="https://osf.io/download/dq935/",
                name="fixations_Paragraph.csv.zip",
                md5="3d3b6a3794a50e174e025f43735674bd",
                content="fixations",
                layouts=("onestop",),
            ),
        ),
    ),
    DataSet(
        name="provo",
        title="Provo Corpus",
        about="84 native speakers of English reading 55 short texts",
        home="https://osf.io/sjefs/",
        citation=(
            "Luke, Christianson (2018): The Provo Corpus: A large eye-tracking corpus with "
            "predictability norms. Behavior Research Methods 50, 826-833. "
            "doi:10.3758/s13428-017-0908-4"
        ),
        files=(
            DataFile(
                url="https://osf.io/download/z3eh6/",
                name="Provo_Corpus-Additional_Eyetracking_Data-Fixation_Report.csv",
                md5="7aa239e51e5d78528e2430f84a23da3f",
                content="fixations",
                layouts=("provo",),
            ),
        ),
    ),
    DataSet(
        name="code_comprehension",
        title="CodeComprehension",
        about="people reading code and answering a question about it",
        home="https://doi.org/10.5281/zenodo.11123101",
        citation="see its home",
        files=(
            DataFile(
                url="https://zenodo.org/records/11123101/files/Predicting%20Code%20Comprehension%20Package.zip?download=1",
                name="data.zip",
                md5="3a3c6fb96550bc2c2ddcf5d458fb12a2",
                content="fixations",
                layouts=("code_comprehension",),
            ),
        ),
    ),
    DataSet(
        name="gaze4hate",
        title="Gaze4Hate",
        about="43 people reading sentences and judging whether they are hate speech",
        home="https://osf.io/dbshf/",
        citation="see its home",
        files=(
            DataFile(
                url="https://osf.io/download/dbshf/",
                name="gaze4hate_sentence_reading_fix_report.csv",
                md5="c8cc645d1fad659f9442d61795da5481",
                content="fixations",
                layouts=("gaze4hate",),
            ),
        ),
    ),
    DataSet(
        name="didec",
        title="Dutch Image Description and Eye-tracking Corpus (DIDEC)",
        about="112 Dutch students looking at images, freely or while describing them",
        home="https://didec.uvt.nl/",
        citation=(
            "van Miltenburg, Kádár, Koolen, Krahmer (2018): DIDEC: The Dutch Image Description "
            "and Eye-tracking Corpus. COLING 2018, 3658-3669"
        ),
        files=(
            DataFile(
                url="https://didec.uvt.nl/corpus/DIDEC_only_the_eyetracking_data.zip",
                name="DIDEC_only_the_eyetracking_data.zip",
                md5="d572b0b41828986ca48a2fcf6966728a",
                content="gaze",
                layouts=("didec",),
            ),
        ),
    ),
    DataSet(
        name="pymovements_toy",
        title="pymovements' toy data set",
        about="one person reading four texts of five pages: small, to try things on",
        home="https://github.com/pymovements/pymovements-toy-dataset",
        citation="see its home",
        files=(
            DataFile(
                url="https://github.com/pymovements/pymovements-toy-dataset/archive/refs/heads/main.zip",
                name="pymovements-toy-dataset.zip",
                md5="256901852c1c07581d375eef705855d6",
                content="gaze",
                layouts=("pymovements_toy",),
            ),
        ),
    ),
)
DATASETS: Mapping[str, DataSet] = {dataset.name: dataset for dataset in _ALL}
