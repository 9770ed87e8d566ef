"""A made-up prompt model with the interface of Segment Anything, small enough to know its answers.

The canvas has 64 pixels. The encoder's features are means of 16 x 16 pixels; of a larger canvas, of
more. The decoder says 4 inside the box and -4 outside, plus a tenth of the number of foreground
points, plus a quarter of the rough mask where one is given, plus a hundredth of the mean feature.
"""

from __future__ import annotations

import numpy as np

SIDE = 64
MASK_SIDE = 16
INPUTS = {
    "point_coords": [1, "points", 2],
    "point_labels": [1, "points"],
    "mask_input": [1, 1, MASK_SIDE, MASK_SIDE],
    "has_mask_input": [1],
    "orig_im_size": [2],
}


def write_pair(folder, *, without=(), features=3, sam2=False, answers=1, side=SIDE):
    """Write encoder.onnx and decoder.onnx; `sam2` names features alike, and takes no image size."""
    folder.mkdir(parents=True, exist_ok=True)
    named = "image_embed" if sam2 else "output"
    _save(folder / "encoder.onnx", *_encoder(named, side))
    taken = "image_embed" if sam2 else "image_embeddings"
    without = (*without, "orig_im_size") if sam2 else without
    masks = "masks" if sam2 else "low_res_masks"
    nodes = _decoder(taken, masks, without, features, answers, side)
    _save(folder / "decoder.onnx", *nodes)
    return folder


def box_logits(x0, y0, x1, y1):
    """What the decoder says of a box [16, 16], in pixels of the canvas."""
    centre = np.arange(MASK_SIDE) * 4 + 2
    x, y = centre[None, :], centre[:, None]
    inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
    return np.where(inside, 4.0, -4.0).astype(np.float32)


def _save(path, nodes, inputs, outputs, constants):
    import onnx
    from onnx import helper, numpy_helper

    arrays = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _value(name, shape):
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _encoder(output, side):
    from onnx import helper

    length = side // 4 if isinstance(side, int) else 16
    pool = {"kernel_shape": [length, length], "strides": [length, length]}
    nodes = [helper.make_node("AveragePool", ["input"], [output], **pool)]
    shapes = _value("input", ["batch", 3, side, side]), _value(output, [1, 3, 4, 4])
    return nodes, [shapes[0]], [shapes[1]], {}


def _decoder(taken, masks, without, features, answers, side):
    from onnx import helper

    step = side // MASK_SIDE if isinstance(side, int) else 4
    centre = np.arange(MASK_SIDE, dtype=np.float32) * step + step / 2
    constants = {
        "x": centre.reshape(1, 1, 1, -1),
        "y": centre.reshape(1, 1, -1, 1),
        "first": np.array([-2]),
        "last": np.array([-1]),
        "end": np.array([2**31]),
        "one": np.array(1, np.float32),
        "four": np.array(4, np.float32),
        "minus": np.array(-4, np.float32),
        "tenth": np.array(0.1, np.float32),
        "quarter": np.array(0.25, np.float32),
        "hundredth": np.array(0.01, np.float32),
        "column": np.array(0),
        "row": np.array(1),
        "points": np.array([1]),
        "worse": np.array([-9.0, 0.0][:answers] if answers > 1 else [0.0], np.float32).reshape(
            1, -1, 1, 1
        ),
        "scores": np.array([[0.2, 0.9][:answers] if answers > 1 else [0.9]], np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Slice", ["point_coords", "first", "last", "points"], ["start"]),
        node("Slice", ["point_coords", "last", "end", "points"], ["stop"]),
    ]
    for corner in ("start", "stop"):
        nodes += [
            node("Gather", [corner, "column"], [f"{corner}_x"], axis=2),
            node("Gather", [corner, "row"], [f"{corner}_y"], axis=2),
        ]
    nodes += [
        node("GreaterOrEqual", ["x", "start_x"], ["right_of"]),
        node("Less", ["x", "stop_x"], ["left_of"]),
        node("GreaterOrEqual", ["y", "start_y"], ["below"]),
        node("Less", ["y", "stop_y"], ["above"]),
        node("And", ["right_of", "left_of"], ["across"]),
        node("And", ["below", "above"], ["down"]),
        node("And", ["across", "down"], ["inside"]),
        node("Where", ["inside", "four", "minus"], ["boxed"]),
        node("Equal", ["point_labels", "one"], ["is_point"]),
        node("Cast", ["is_point"], ["counted"], to=1),
        node("ReduceSum", ["counted"], ["n"], keepdims=0),
        node("Mul", ["n", "tenth"], ["by_points"]),
        node("ReduceMean", [taken], ["brightness"], keepdims=0),
        node("Mul", ["brightness", "hundredth"], ["by_image"]),
        node("Add", ["boxed", "by_points"], ["sum1"]),
        node("Add", ["sum1", "by_image"], ["sum2"]),
        node("Mul", ["mask_input", "quarter"], ["rough"]),
    ]
    if "has_mask_input" not in without:
        nodes += [node("Mul", ["rough", "has_mask_input"], ["by_mask"])]
    else:
        nodes += [node("Identity", ["rough"], ["by_mask"])]
    nodes += [
        node("Add", ["sum2", "by_mask"], ["sum3"]),
        node("Add", ["sum3", "worse"], [masks]),
        node("Identity", ["scores"], ["iou_predictions"]),
    ]
    inputs = [_value(taken, [1, features, 4, 4])]
    inputs += [_value(name, shape) for name, shape in INPUTS.items() if name not in without]
    outputs = [
        _value(masks, [1, answers, MASK_SIDE, MASK_SIDE]),
        _value("iou_predictions", [1, answers]),
    ]
    return nodes, inputs, outputs, constants
