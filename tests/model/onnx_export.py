"""Checks ONNX files with onnx and runs them with onnxruntime; onnx_export_test.ts calls it.

Every file is run on whole texts, then on their last tokens after the first ones' keys and values, then on all texts as one
batch that is padded on the left.
"""

import json
import sys

import numpy
import onnx
import onnxruntime


def run(session, rows, positions, mask, past):
    batch, length = rows.shape
    feeds = {"input_ids": rows, "attention_mask": mask, "position_ids": positions}
    for value in session.get_inputs():
        if value.name.startswith("past_key_values."):
            heads, width = value.shape[1], value.shape[3]
            feeds[value.name] = past.get(value.name, numpy.zeros((batch, heads, 0, width), numpy.float32))
    logits, *present = session.run(None, feeds)
    names = [output.name for output in session.get_outputs()][1:]
    return logits, {name.replace("present", "past_key_values"): value for name, value in zip(names, present)}


def ints(values):
    return numpy.array(values, numpy.int64)


def replay(path, texts, split):
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path, load_external_data=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    whole, parts = [], []
    for text in texts:
        length = len(text)
        everything = numpy.ones((1, length), numpy.int64)
        places = numpy.arange(length)[None]
        logits, _ = run(session, ints([text]), places, everything, {})
        whole.append(logits[0].flatten().tolist())
        _, past = run(session, ints([text[:split]]), places[:, :split], everything[:, :split], {})
        rows = []
        for at in (slice(split, -1), slice(length - 1, length)):
            logits, past = run(session, ints([text[at]]), places[:, at], everything[:, : at.indices(length)[1]], past)
            rows += logits[0].flatten().tolist()
        parts.append(rows)
    longest = max(map(len, texts))
    padded = ints([[0] * (longest - len(text)) + text for text in texts])
    mask = ints([[0] * (longest - len(text)) + [1] * len(text) for text in texts])
    logits, _ = run(session, padded, numpy.maximum(mask.cumsum(1) - 1, 0), mask, {})
    together = [logits[i, longest - len(text) :].flatten().tolist() for i, text in enumerate(texts)]
    describe = lambda values: {
        value.name: [
            onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type),
            *(one.dim_param or one.dim_value for one in value.type.tensor_type.shape.dim),
        ]
        for value in values
    }
    return {
        "opset": [(one.domain, one.version) for one in model.opset_import],
        "inputs": describe(model.graph.input),
        "outputs": describe(model.graph.output),
        "external": sum(one.data_location == onnx.TensorProto.EXTERNAL for one in model.graph.initializer),
        "whole": whole,
        "parts": parts,
        "together": together,
    }


texts, split, *paths = sys.argv[1:]
print(json.dumps([replay(path, json.loads(texts), int(split)) for path in paths]))
