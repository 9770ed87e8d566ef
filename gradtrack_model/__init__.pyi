# The public names and where they live; see `gazetrack/__init__.pyi`.

from .config import TrainConfig
from .evaluation.evaluate import Evaluation
from .evaluation.in_memory import Segmentation
from .evaluation.predict import PredictOptions, predict_folder
from .settings import load_config
from .study.comparison import Comparison
from .training.loop import Progress
from .training.run_folder import TrainResult
from .verbs.compare import compare
from .verbs.evaluate import evaluate
from .verbs.export import export
from .verbs.predict import predict
from .verbs.train import train
from .weights.checkpoint import Checkpoint, load_model

__all__ = [
    "Checkpoint",
    "Comparison",
    "Evaluation",
    "PredictOptions",
    "Progress",
    "Segmentation",
    "TrainConfig",
    "TrainResult",
    "compare",
    "evaluate",
    "export",
    "load_config",
    "load_model",
    "predict",
    "predict_folder",
    "train",
]
