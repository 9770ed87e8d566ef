# The public names and where they live. `lazy_loader` reads this file when the package is imported,
# and type checkers read it in place of `__init__.py`.

from . import datasets
from .errors import GazetrackError
from .events.base import Detector
from .events.prepare import Preparation
from .figures.aois import plot_aois
from .figures.durations import plot_durations
from .figures.heatmap import plot_heatmap
from .figures.main_sequence import plot_main_sequence
from .figures.pupil import plot_pupil
from .figures.scanpath import plot_scanpath
from .figures.scarf import plot_scarf
from .figures.time_course import plot_time_course
from .figures.time_series import plot_time_series
from .figures.track_maps import plot_track
from .figures.transitions import plot_transitions
from .interop.arrow import to_arrow
from .interop.from_mne import from_mne
from .interop.from_pymovements import from_pymovements
from .interop.losses import ConversionWarning
from .interop.mne_calibrations import mne_calibrations
from .interop.to_mne import to_mne
from .interop.to_pymovements import to_pymovements
from .interop.to_xarray import to_xarray
from .maps.parameters import CRFParams, MapParams, crf_params, map_params
from .maps.render import TrackMaps, render_maps
from .maps.store import read_maps
from .maps.track import Track
from .measures.aoi_files.reading import read_aois
from .measures.aois import AoiSet
from .measures.cluster_permutation import ClusterOptions, ClusterTest, cluster_permutation
from .measures.pupil import PupilOptions
from .measures.saliency import SaliencyOptions
from .measures.scanpaths import ScanpathOptions
from .measures.time_courses import TimeCourseOptions, time_courses
from .sam.parameters import PromptParams
from .simulate.classes import write_class_example
from .simulate.example import write_example
from .simulate.study import Study, write_study
from .tables.finding import find_tables
from .tables.placement import Placement
from .tables.recording import Recording
from .tables.screen import Screen
from .version import __version__
from .workflows.aoi_looks import aoi_looks, label_fixations
from .workflows.bids.write import BidsOptions, write_bids
from .workflows.compact import Compacted, compact
from .workflows.compare import Agreement, compare
from .workflows.convert import convert, convert_files
from .workflows.convert_options import ConvertOptions
from .workflows.engine.run import Engine
from .workflows.events import EventsOptions, detect_events
from .workflows.fixations import detect_fixations, exported_fixations
from .workflows.info import formats, info
from .workflows.measures import aoi_transitions, measure_aois
from .workflows.outcome import Outcome
from .workflows.plot import plot
from .workflows.prompting import PromptOptions
from .workflows.pupil import Pupil, PupilFilesOptions, pupil
from .workflows.quality import quality
from .workflows.read import InputOptions, read
from .workflows.refine import refine
from .workflows.render import RenderOptions, render
from .workflows.report import Report, write_report
from .workflows.reporting.options import ReportOptions
from .workflows.reporting.thresholds import Thresholds
from .workflows.saliency import score_saliency
from .workflows.scanpaths import compare_scanpaths, scanpath_matrix, scanpath_recurrence
from .workflows.study.run import StepResult
from .workflows.study.verb import run_study
from .workflows.tracks import tracks

__all__ = [
    "Agreement",
    "AoiSet",
    "BidsOptions",
    "CRFParams",
    "ClusterOptions",
    "ClusterTest",
    "Compacted",
    "ConversionWarning",
    "ConvertOptions",
    "Detector",
    "Engine",
    "EventsOptions",
    "GazetrackError",
    "InputOptions",
    "MapParams",
    "Outcome",
    "Placement",
    "Preparation",
    "PromptOptions",
    "PromptParams",
    "Pupil",
    "PupilFilesOptions",
    "PupilOptions",
    "Recording",
    "RenderOptions",
    "Report",
    "ReportOptions",
    "SaliencyOptions",
    "ScanpathOptions",
    "Screen",
    "StepResult",
    "Study",
    "Thresholds",
    "TimeCourseOptions",
    "Track",
    "TrackMaps",
    "__version__",
    "aoi_looks",
    "aoi_transitions",
    "cluster_permutation",
    "compact",
    "compare",
    "compare_scanpaths",
    "convert",
    "convert_files",
    "crf_params",
    "datasets",
    "detect_events",
    "detect_fixations",
    "exported_fixations",
    "find_tables",
    "formats",
    "from_mne",
    "from_pymovements",
    "info",
    "label_fixations",
    "map_params",
    "measure_aois",
    "mne_calibrations",
    "plot",
    "plot_aois",
    "plot_durations",
    "plot_heatmap",
    "plot_main_sequence",
    "plot_pupil",
    "plot_scanpath",
    "plot_scarf",
    "plot_time_course",
    "plot_time_series",
    "plot_track",
    "plot_transitions",
    "pupil",
    "quality",
    "read",
    "read_aois",
    "read_maps",
    "refine",
    "render",
    "render_maps",
    "run_study",
    "scanpath_matrix",
    "scanpath_recurrence",
    "score_saliency",
    "time_courses",
    "to_arrow",
    "to_mne",
    "to_pymovements",
    "to_xarray",
    "tracks",
    "write_bids",
    "write_class_example",
    "write_example",
    "write_report",
    "write_study",
]
