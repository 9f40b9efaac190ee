"""From two TFLite networks to the bundle that PoseLandmarker loads.

Belongs here: reading networks, telling whether two files hold the same one, adding the metadata that the Tasks graph insists on, leaving
out the segmentation head, and packing. Does not belong here: where the networks come from and where the bundle lies (`model`).

No weight is touched. Without the segmentation head the landmarks are bit-identical and a frame costs 11 instead of 17 CPU ms (full model,
measured).
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import struct
import sys
import zipfile
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

_SEGMENTATION, _PRESENCE = 2, 1
"""Outputs of the landmark network, in the order of its graph: landmarks, presence, segmentation, heatmap, world landmarks."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
DETECTOR_ENTRY, LANDMARK_ENTRY = "pose_detector.tflite", "pose_landmarks_detector.tflite"


@cache
def _schema(name: str) -> ModuleType:
    """A generated schema module of mediapipe, loaded by path: importing mediapipe itself costs two CPU seconds and wants libEGL."""
    package = importlib.util.find_spec("mediapipe")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("mediapipe is not installed")
    path = Path(package.submodule_search_locations[0]) / "tasks" / "metadata" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"_cricksy_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def read_network(raw: bytes) -> Any:
    """The network in a TFLite file as flatbuffers' object tree (`ModelT`), without metadata and without buffers that nothing uses.

    Raises:
        ValueError: `raw` is not a TFLite file.
    """
    if raw[4:8] != b"TFL3":
        raise ValueError("not a TFLite network")
    tflite = _schema("schema_py_generated")
    network = tflite.ModelT.InitFromObj(tflite.Model.GetRootAsModel(raw, 0))
    network.metadata = network.metadataBuffer = network.signatureDefs = network.description = None
    _drop_unused_buffers(network, tflite)
    return network


def _drop_unused_buffers(network: Any, tflite: ModuleType) -> None:
    kept = [tflite.BufferT()]  # buffer 0 is empty by convention
    place: dict[int, int] = {}
    for graph in network.subgraphs:
        for tensor in graph.tensors:
            data = network.buffers[tensor.buffer].data
            if data is None or not len(data):
                tensor.buffer = 0
                continue
            if tensor.buffer not in place:
                place[tensor.buffer] = len(kept)
                kept.append(network.buffers[tensor.buffer])
            tensor.buffer = place[tensor.buffer]
    network.buffers = kept


def leave_out_segmentation(network: Any) -> None:
    """Drop the operators that only feed the mask, which nothing here uses. The Tasks graph still expects five outputs, so presence stands
    in for the mask."""
    graph = network.subgraphs[0]
    made_by = {tensor: i for i, operator in enumerate(graph.operators) for tensor in operator.outputs}
    outputs = list(graph.outputs)
    needed: set[int] = set()
    pending = [tensor for i, tensor in enumerate(outputs) if i != _SEGMENTATION]
    while pending:
        operator = made_by.get(pending.pop())
        if operator is not None and operator not in needed:
            needed.add(operator)
            pending.extend(tensor for tensor in graph.operators[operator].inputs if tensor >= 0)
    graph.operators = [operator for i, operator in enumerate(graph.operators) if i in needed]
    outputs[_SEGMENTATION] = outputs[_PRESENCE]
    graph.outputs = outputs


def fingerprint(network: Any) -> str:
    """SHA-256 over what a network computes: operators, shapes and weights, however the file around them is laid out."""
    digest = hashlib.sha256()
    _walk(network, digest)
    return digest.hexdigest()


def _walk(node: Any, digest: Any) -> None:
    if node is None or (isinstance(node, (list, np.ndarray)) and not len(node)):
        digest.update(b"-")  # writers disagree on whether an empty vector is there
    elif isinstance(node, (bool, int, np.integer)):
        digest.update(b"i%d;" % int(node))
    elif isinstance(node, float):
        digest.update(b"f" + struct.pack("<d", node))
    elif isinstance(node, (bytes, str)):
        data = node.encode() if isinstance(node, str) else node
        digest.update(b"s%d;" % len(data) + data)
    elif isinstance(node, np.ndarray) and node.dtype == np.uint8:
        digest.update(b"b%d;" % node.size + node.tobytes())
    elif isinstance(node, (list, np.ndarray)):
        digest.update(b"l%d;" % len(node))
        for item in node if isinstance(node, list) else node.tolist():
            _walk(item, digest)
    else:
        for name, value in sorted(vars(node).items()):
            digest.update(name.encode() + b"=")
            _walk(value, digest)


def _input_normalisation(mean: float, std: float) -> bytes:
    """Metadata that says how a picture's 0..255 becomes the network's input: (value - mean) / std."""
    import flatbuffers

    schema = _schema("metadata_schema_py_generated")
    options = schema.NormalizationOptionsT()
    options.mean, options.std = [mean], [std]
    unit = schema.ProcessUnitT()
    unit.optionsType, unit.options = schema.ProcessUnitOptions.NormalizationOptions, options
    image = schema.ImagePropertiesT()
    image.colorSpace = schema.ColorSpaceType.RGB
    content = schema.ContentT()
    content.contentPropertiesType, content.contentProperties = schema.ContentProperties.ImageProperties, image
    tensor = schema.TensorMetadataT()
    tensor.name, tensor.content, tensor.processUnits = "image", content, [unit]
    graph = schema.SubGraphMetadataT()
    graph.inputTensorMetadata = [tensor]
    model = schema.ModelMetadataT()
    model.name, model.subgraphMetadata, model.minParserVersion = "pose", [graph], "1.0.0"
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())


def _write(network: Any, note: bytes) -> bytes:
    import flatbuffers

    tflite = _schema("schema_py_generated")
    buffer = tflite.BufferT()
    buffer.data = np.frombuffer(note, np.uint8)
    network.buffers.append(buffer)
    entry = tflite.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(network.buffers) - 1
    network.metadata = [entry]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(network.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def build_bundle(detector: Any, landmarks: Any) -> bytes:
    """The .task file (a stored zip with fixed dates) of two networks as `read_network` gives them; both are used up.

    The detector was trained on [-1, 1], the landmark network on [0, 1]. The same networks give the same bytes.
    """
    entries = {
        DETECTOR_ENTRY: _write(detector, _input_normalisation(127.5, 127.5)),
        LANDMARK_ENTRY: _write(landmarks, _input_normalisation(0.0, 255.0)),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in entries.items():
            bundle.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return packed.getvalue()
