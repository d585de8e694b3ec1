/**
 * GPT-2 as a graph for ONNX: what `families/gpt2.ts` computes.
 *
 * @module
 */

import type { Gpt2 } from "../families/gpt2.ts";
import type { DecoderBuilder } from "./parts.ts";

/**
 * Adds a GPT-2's layers to a graph.
 *
 * @param build The graph.
 * @param network The model.
 * @returns The last layer's output after the final norm.
 */
export function addGpt2(build: DecoderBuilder, { config }: Gpt2): string {
  const { graph } = build;
  const { width, layers, layerNormEpsilon = 1e-5, activation } = config;
  const norm = (x: string, name: string) => build.layerNorm(x, name, layerNormEpsilon);
  const embedded = [
    build.embed("wte.weight", build.tokens),
    build.embed("wpe.weight", build.positions),
  ];
  let x = graph.node("Add", embedded);
  for (let layer = 0; layer < layers; layer++) {
    const h = `h.${layer}`;
    graph.scope = `${h}/`;
    const together = build.linear(norm(x, `${h}.ln_1`), `${h}.attn.c_attn`);
    const [q, k, v] = graph.split(together, [width, width, width]).map((part) => build.heads(part));
    const attended = build.attend(layer, q, k, v);
    x = graph.node("Add", [x, build.linear(attended, `${h}.attn.c_proj`)]);
    const up = build.linear(norm(x, `${h}.ln_2`), `${h}.mlp.c_fc`);
    const inner = activation === "gelu" ? build.geluErf(up) : build.geluTanh(up);
    x = graph.node("Add", [x, build.linear(inner, `${h}.mlp.c_proj`)]);
  }
  graph.scope = "";
  return norm(x, "ln_f");
}
