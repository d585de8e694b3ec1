/**
 * A network as a PyTorch state dict, under the names of a class that loads it.
 *
 * @module
 */

import type { Network } from "../model/mod.ts";
import { transpose } from "../model/transpose.ts";
import type { StateDictEntry, WritableDtype } from "../weights/mod.ts";

/**
 * Whose names a state dict has: those of transformers' classes, or of the `GPTModel` of "Build a Large Language Model (From
 * Scratch)" by Raschka, which write-ups on its chapter 7 load.
 */
export type StateDictNames = "transformers" | "llms-from-scratch";

/** Names of state dicts. */
export const STATE_DICT_NAMES: readonly StateDictNames[] = ["transformers", "llms-from-scratch"];

/**
 * Lists a network's tensors for a state dict.
 *
 * @param network The network; adapters are not part of it.
 * @param names Whose names.
 * @param dtype How values are stored.
 * @returns The tensors, read when they are written.
 * @throws {TypeError} If the class of these names cannot hold the network.
 */
export function stateDictOf(
  network: Network,
  names: StateDictNames,
  dtype: WritableDtype,
): StateDictEntry[] {
  return (names === "transformers" ? forTransformers : forGptModel)(network)
    .map((entry) => ({ ...entry, dtype }));
}

function forTransformers({ parameters, head, prefix }: Network): StateDictEntry[] {
  return Array.from(parameters, ([name, tensor]) => ({
    name: name === "lm_head.weight" ? name : `${prefix}${name}`,
    shape: tensor.shape,
    data: () => tensor.data(),
    ...(tensor === head && name !== "lm_head.weight" && { aliases: ["lm_head.weight"] }),
  }));
}

/** What `GPTModel` calls the parts of a block of GPT-2. */
const GPT_MODEL_PARTS: Readonly<Record<string, string>> = {
  "ln_1.weight": "norm1.scale",
  "ln_1.bias": "norm1.shift",
  "attn.c_proj.weight": "att.out_proj.weight",
  "attn.c_proj.bias": "att.out_proj.bias",
  "ln_2.weight": "norm2.scale",
  "ln_2.bias": "norm2.shift",
  "mlp.c_fc.weight": "ff.layers.0.weight",
  "mlp.c_fc.bias": "ff.layers.0.bias",
  "mlp.c_proj.weight": "ff.layers.2.weight",
  "mlp.c_proj.bias": "ff.layers.2.bias",
};

function forGptModel(network: Network): StateDictEntry[] {
  const { architecture, parameters, layers, contextLength } = network;
  if (architecture !== "gpt2") {
    throw new TypeError(
      `Cannot name a ${architecture}'s weights as "llms-from-scratch" does: its GPTModel is a GPT-2`,
    );
  }
  const read = (name: string) => {
    const tensor = parameters.get(name)!;
    return { shape: tensor.shape, data: () => tensor.data() };
  };
  const entries: StateDictEntry[] = [
    { name: "tok_emb.weight", ...read("wte.weight"), aliases: tiedTo(network) },
    { name: "pos_emb.weight", ...read("wpe.weight") },
  ];
  for (let layer = 0; layer < layers; layer++) {
    const h = `h.${layer}.`, block = `trf_blocks.${layer}.`;
    for (const part of ["weight", "bias"]) {
      const name = `${h}attn.c_attn.${part}`;
      if (parameters.has(name)) {
        entries.push(...splitQueryKeyValue(`${block}att.`, part, read(name)));
      }
    }
    for (const [from, to] of Object.entries(GPT_MODEL_PARTS)) {
      const tensor = read(h + from);
      const isMatrix = tensor.shape.length === 2; // (in, out) here, (out, in) there
      entries.push({ name: block + to, ...(isMatrix ? transposed(tensor) : tensor) });
    }
  }
  entries.push({ name: "final_norm.scale", ...read("ln_f.weight") });
  entries.push({ name: "final_norm.shift", ...read("ln_f.bias") });
  if (parameters.has("lm_head.weight")) {
    entries.push({ name: "out_head.weight", ...read("lm_head.weight") });
  }
  // A buffer of the class: which tokens are not seen. All blocks share one.
  const masks = Array.from({ length: layers }, (_, layer) => `trf_blocks.${layer}.att.mask`);
  entries.push({
    name: masks[0],
    aliases: masks.slice(1),
    shape: [contextLength, contextLength],
    data: () =>
      Float32Array.from(
        { length: contextLength ** 2 },
        (_, i) => i % contextLength > Math.floor(i / contextLength) ? 1 : 0,
      ),
  });
  return entries;
}

function tiedTo({ parameters }: Network): string[] {
  return parameters.has("lm_head.weight") ? [] : ["out_head.weight"];
}

interface Values {
  readonly shape: readonly number[];
  readonly data: () => Promise<Float32Array>;
}

/** The three projections that are one in GPT-2: of its columns, (in, 3 C) or (3 C). */
function splitQueryKeyValue(prefix: string, part: string, { shape, data }: Values) {
  const width = shape.at(-1)! / 3;
  const rows = shape.length === 2 ? shape[0] : 1;
  return ["W_query", "W_key", "W_value"].map((name, i): StateDictEntry => {
    const columns = async () => {
      const all = await data();
      const own = new Float32Array(rows * width);
      for (let row = 0; row < rows; row++) {
        const start = row * 3 * width + i * width;
        own.set(all.subarray(start, start + width), row * width);
      }
      return own;
    };
    const values = { shape: shape.length === 2 ? [rows, width] : [width], data: columns };
    return {
      name: `${prefix}${name}.${part}`,
      ...(shape.length === 2 ? transposed(values) : values),
    };
  });
}

function transposed({ shape: [rows, columns], data }: Values): Values {
  return {
    shape: [columns, rows],
    data: async () => transpose(await data(), rows, columns),
  };
}

/** What the chapter calls the sizes of GPT-2. */
const CHAPTER_NAMES: Readonly<Record<string, string>> = {
  "gpt2": "gpt2-small124M",
  "gpt2-medium": "gpt2-medium355M",
  "gpt2-large": "gpt2-large774M",
  "gpt2-xl": "gpt2-xl1558M",
};

/**
 * Names a checkpoint as chapter 7 does: `gpt2-medium355M-sft.pth`.
 *
 * @param base The model's name: `"hf:openai-community/gpt2-medium"`, or a folder.
 * @returns The file's name.
 */
export function checkpointName(base: string): string {
  const name = base.replace(/^[a-z]+:/, "").replace(/@.*$/, "").split(/[\\/]/).filter(Boolean).at(
    -1,
  )!;
  return `${CHAPTER_NAMES[name] ?? name.replace(/[^\w.-]+/g, "")}-sft.pth`;
}
