"""Writes one small Llama in the forms that checkpoints come in, by PyTorch, safetensors and bitsandbytes, and what each holds.

usage: checkpoints.py FOLDER

FOLDER/NAME is a model, FOLDER/NAME.safetensors its weights as the program that packed them widens them.
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path

import bitsandbytes.functional as bnb
import torch
from safetensors.torch import save_file

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 192,
    "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 48,
    "max_position_embeddings": 32, "rms_norm_eps": 1e-6, "tie_word_embeddings": False,
}
SHAPES = {
    "self_attn.q_proj": (64, 64), "self_attn.k_proj": (32, 64), "self_attn.v_proj": (32, 64), "self_attn.o_proj": (64, 64),
    "mlp.gate_proj": (192, 64), "mlp.up_proj": (192, 64), "mlp.down_proj": (64, 192),
}


def weights(dtype):
    torch.manual_seed(5)
    dict_ = OrderedDict()
    dict_["model.embed_tokens.weight"] = torch.randn(48, 64) / 8
    for name, shape in SHAPES.items():
        dict_[f"model.layers.0.{name}.weight"] = torch.randn(shape) / 8
    for name in ["layers.0.input_layernorm", "layers.0.post_attention_layernorm", "norm"]:
        dict_[f"model.{name}.weight"] = 1 + torch.randn(64) / 8
    dict_["lm_head.weight"] = torch.randn(48, 64) / 8
    return OrderedDict((name, tensor.to(dtype)) for name, tensor in dict_.items())


def write(folder, name, expected, quantization=None, tensors=None):
    model = folder / name
    model.mkdir()
    config = {**CONFIG, **({"quantization_config": quantization} if quantization else {})}
    (model / "config.json").write_text(json.dumps(config))
    save_file({key: tensor.float().contiguous() for key, tensor in expected.items()}, folder / f"{name}.safetensors")
    if tensors is not None:
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, model / "model.safetensors")
    return model


def is_linear(name):
    return name.endswith("_proj.weight")


def four_bits(folder, name, dtype, kind, block, double):
    expected, tensors = {}, {}
    for key, tensor in weights(dtype).items():
        if not is_linear(key):
            expected[key] = tensors[key] = tensor
            continue
        packed, state = bnb.quantize_4bit(tensor, blocksize=block, quant_type=kind, compress_statistics=double)
        tensors[key] = packed
        tensors.update({f"{key}.{part}": value for part, value in state.as_dict(packed=True).items()})
        # As one row: with AVX-512 bitsandbytes begins a block at each row, although it packs blocks across rows.
        state.shape = (1, tensor.numel())
        expected[key] = bnb.dequantize_4bit(packed, state).view(tensor.shape)
    quantization = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": kind}
    write(folder, name, expected, quantization, tensors)


def eight_bits(folder):
    expected, tensors = {}, {}
    for key, tensor in weights(torch.float16).items():
        if not is_linear(key):
            expected[key] = tensors[key] = tensor
            continue
        codes, scales, _ = bnb.int8_vectorwise_quant(tensor)
        module = key.removesuffix(".weight")
        tensors.update({key: codes, f"{module}.SCB": scales, f"{module}.weight_format": torch.tensor(0, dtype=torch.uint8)})
        expected[key] = bnb.int8_vectorwise_dequant(codes, scales)
    write(folder, "int8", expected, {"quant_method": "bitsandbytes", "load_in_8bit": True}, tensors)


def float8(folder, name, quantization, scale_name, scale_of, dtype=torch.float8_e4m3fn):
    expected, tensors = {}, {}
    for key, tensor in weights(torch.bfloat16).items():
        if not is_linear(key):
            expected[key] = tensors[key] = tensor
            continue
        scale, spread = scale_of(tensor.float())
        tensors[key] = (tensor.float() / spread).to(dtype)
        tensors[f"{key.removesuffix('weight')}{scale_name}"] = scale
        if scale_name == "weight_scale":
            tensors[f"{key.removesuffix('weight')}input_scale"] = torch.tensor(0.5)
        expected[key] = tensors[key].float() * spread
    write(folder, name, expected, quantization, tensors)


def per_tensor(tensor):
    scale = tensor.abs().max() / 448
    return scale, scale


def per_row(tensor):
    scale = tensor.abs().amax(1, keepdim=True) / 448
    return scale, scale


def per_block(rows, columns):
    def scale_of(tensor):
        (height, width) = tensor.shape
        grid = torch.stack([
            torch.stack([part.abs().max() for part in band.split(columns, 1)]) for band in tensor.split(rows, 0)
        ]) / 448
        spread = grid.repeat_interleave(rows, 0)[:height].repeat_interleave(columns, 1)[:, :width]
        return grid, spread
    return scale_of


def state_dicts(folder):
    for name, dtype, legacy in [("bin", torch.bfloat16, False), ("legacy", torch.float32, True), ("half", torch.float16, True)]:
        tensors = weights(dtype)
        model = write(folder, name, tensors)
        # As PyTorch's models have them: parameters, buffers of integers, a matrix that is stored transposed, and two of one storage.
        held = OrderedDict((key, torch.nn.Parameter(tensor)) for key, tensor in tensors.items())
        q, k = (f"model.layers.0.self_attn.{part}_proj.weight" for part in "qk")
        held[q] = tensors[q].t().contiguous().t()
        both = torch.cat([tensors[k], tensors[k] + 1])
        held[k] = both[:32]
        held["model.layers.0.self_attn.rotary_emb.inv_freq"] = both[32:, 0]
        held["position_ids"] = torch.arange(4)
        held._metadata = {"": {"version": 1}}
        torch.save(held, model / "pytorch_model.bin", _use_new_zipfile_serialization=not legacy)
    tensors = weights(torch.float32)
    model = write(folder, "sharded", tensors)
    index = {}
    for i, part in enumerate([list(tensors)[:5], list(tensors)[5:]]):
        file = f"pytorch_model-0000{i + 1}-of-00002.bin"
        torch.save({key: tensors[key] for key in part}, model / file, pickle_protocol=4 if i else 2)
        index.update({key: file for key in part})
    (model / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))


def adapters(folder):
    torch.manual_seed(6)
    module = "base_model.model.model.layers.0.self_attn.q_proj"
    pair = {f"{module}.lora_A.weight": torch.randn(2, 64), f"{module}.lora_B.weight": torch.randn(64, 2)}
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "lora_dropout": 0, "target_modules": ["q_proj"]}
    for name in ["adapter", "adapter_bin"]:
        adapter = folder / "adapters" / name
        adapter.mkdir(parents=True)
        (adapter / "adapter_config.json").write_text(json.dumps(config))
    save_file(pair, folder / "adapters/adapter/adapter_model.safetensors")
    torch.save(pair, folder / "adapters/adapter_bin/adapter_model.bin")


def main():
    folder = Path(sys.argv[1])
    four_bits(folder, "nf4", torch.float16, "nf4", 64, False)
    four_bits(folder, "nf4_double", torch.bfloat16, "nf4", 64, True)
    four_bits(folder, "fp4", torch.float32, "fp4", 128, True)
    eight_bits(folder)
    float8(folder, "fp8_block", {"quant_method": "fp8", "weight_block_size": [48, 32]}, "weight_scale_inv", per_block(48, 32))
    float8(folder, "fp8_tensor", {"quant_method": "modelopt"}, "weight_scale", per_tensor)
    float8(folder, "fp8_row", {"quant_method": "compressed-tensors"}, "weight_scale", per_row, torch.float8_e5m2)
    plain = weights(torch.float8_e4m3fn)
    write(folder, "fp8_plain", plain, None, plain)
    state_dicts(folder)
    adapters(folder)


main()
