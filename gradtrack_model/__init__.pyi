# The public names and where they live; see `gazetrack/__init__.pyi`.

from .config import TrainConfig
from .data.series_masks import SegOptions
from .evaluation.evaluate import Evaluation
from .evaluation.in_memory import Segmentation
from .evaluation.predict import PredictOptions, predict_folder
from .evaluation.temperature import Temperature
from .settings import load_config
from .study.comparison import Comparison
from .study.folds import CrossValidation
from .training.loop import Progress
from .training.run_folder import TrainResult
from .verbs.calibrate import calibrate
from .verbs.compare import compare
from .verbs.cross_validate import cross_validate
from .verbs.evaluate import evaluate
from .verbs.export import export
from .verbs.predict import predict
from .verbs.train import train
from .verbs.view import view
from .viewer.server import Viewer
from .weights.checkpoint import Checkpoint, load_model

__all__ = [
    "Checkpoint",
    "Comparison",
    "CrossValidation",
    "Evaluation",
    "PredictOptions",
    "Progress",
    "SegOptions",
    "Segmentation",
    "Temperature",
    "TrainConfig",
    "TrainResult",
    "Viewer",
    "calibrate",
    "compare",
    "cross_validate",
    "evaluate",
    "export",
    "load_config",
    "load_model",
    "predict",
    "predict_folder",
    "train",
    "view",
]
