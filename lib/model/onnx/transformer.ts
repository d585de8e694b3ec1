/**
 * Llama and its descendants as a graph for ONNX: what `transformer.ts` computes, from the same record of a family.
 *
 * @module
 */

import { rotaryFrequencies, type RotaryScaling } from "../../tensor/mod.ts";
import { rotaryMagnitude } from "../../tensor/ops/rotary/frequencies.ts";
import type { TransformerConfig } from "../transformer.ts";
import type { DecoderBuilder } from "./parts.ts";

/** Cosines and sines of tokens' positions, each (B, S, 1, D/2). */
interface Angles {
  readonly cosine: string;
  readonly sine: string;
}

/**
 * Adds a transformer's layers to a graph.
 *
 * @param build The graph.
 * @param recipe The model's shape, and what its modules compute.
 * @returns The last layer's output after the final norm.
 * @throws {TypeError} If angles of positions depend on how long a text is, which a graph does not know.
 */
export function addTransformer(build: DecoderBuilder, recipe: TransformerConfig): string {
  const { graph } = build;
  const { modules, layers, parallel, localLayers = [], withoutPositions = [] } = recipe;
  const { theta, localTheta, scaling, window, scoreFactor: scale, scoreCap: softCap } = recipe;
  if (scaling?.type === "dynamic" || scaling?.type === "longrope") {
    throw new TypeError(
      `Cannot write a model as ONNX whose rotary positions are scaled by "${scaling.type}": they depend on the length ` +
        "of a text, which the graph computes a part of at a time",
    );
  }
  const everywhere = anglesOf(build, recipe, "rotary", { theta, scaling });
  const local = localLayers.includes(true) && localTheta !== undefined
    ? anglesOf(build, recipe, "rotary_local", { theta: localTheta })
    : everywhere;

  const attention = (x: string, layer: number) => {
    const l = `layers.${layer}.`;
    const isLocal = localLayers[layer] ?? false;
    const turned = (x: string) =>
      withoutPositions[layer] ? x : turn(build, recipe, x, isLocal ? local : everywhere);
    const [q, k, v] = queryKeyValue(build, recipe, x, l);
    const query = turned(headNorm(build, recipe, q, l, modules.queryNorm));
    const key = turned(headNorm(build, recipe, k, l, modules.keyNorm));
    const attended = build.attend(layer, query, key, build.heads(v), {
      ...{ scale, softCap },
      ...(isLocal && { window }),
    });
    const mixed = build.linear(attended, `${l}${modules.output}`);
    return graph.scale(
      norm(build, recipe, mixed, l, modules.attentionOutNorm),
      recipe.residualFactor,
    );
  };
  const feedForward = (x: string, layer: number) => {
    const l = `layers.${layer}.`;
    const added = build.linear(bent(build, recipe, x, l), `${l}${modules.down}`);
    return graph.scale(
      norm(build, recipe, added, l, modules.feedForwardOutNorm),
      recipe.residualFactor,
    );
  };

  let x = graph.scale(
    build.embed(`${modules.tokens}.weight`, build.tokens),
    recipe.embeddingFactor,
  );
  for (let layer = 0; layer < layers; layer++) {
    const l = `layers.${layer}.`;
    graph.scope = `layers.${layer}/`;
    const added = attention(norm(build, recipe, x, l, modules.attentionNorm), layer);
    const mixed = graph.node("Add", [x, added]);
    const input = norm(build, recipe, parallel ? x : mixed, l, modules.feedForwardNorm);
    x = graph.node("Add", [mixed, feedForward(input, layer)]);
  }
  graph.scope = "";
  x = norm(build, recipe, x, "", modules.norm);
  const { logitDivisor } = recipe;
  return logitDivisor === undefined ? x : graph.scale(x, 1 / logitDivisor);
}

/** A norm; x itself where the family has none there. */
function norm(
  build: DecoderBuilder,
  { norm = "rms", normEpsilon: epsilon, normOffset: offset = 0 }: TransformerConfig,
  x: string,
  block: string,
  name: string | undefined,
): string {
  if (name === undefined) return x;
  return norm === "rms"
    ? build.rmsNorm(x, `${block}${name}`, { epsilon, offset })
    : build.layerNorm(x, `${block}${name}`, epsilon);
}

/** Heads of queries or keys, each normalised by itself or all of a token's together; (B, S, H, D). */
function headNorm(
  build: DecoderBuilder,
  recipe: TransformerConfig,
  x: string,
  block: string,
  name: string | undefined,
): string {
  const of = (x: string) => norm(build, recipe, x, block, name);
  return recipe.queryKeyNorm === "width" ? build.heads(of(x)) : of(build.heads(x));
}

/** Queries, keys and values, from one projection or three. */
function queryKeyValue(
  build: DecoderBuilder,
  { modules, queryKeyValueOrder, width, heads, kvHeads = heads, headDim = width / heads }:
    TransformerConfig,
  x: string,
  block: string,
): string[] {
  const { graph } = build;
  if (modules.queryKeyValue === undefined) {
    return [modules.query!, modules.key!, modules.value!]
      .map((name) => build.linear(x, `${block}${name}`));
  }
  const all = build.linear(x, `${block}${modules.queryKeyValue}`);
  if (queryKeyValueOrder !== "heads") {
    return graph.split(all, [heads * headDim, kvHeads * headDim, kvHeads * headDim]);
  }
  const byHead = graph.reshape(all, 0, 0, heads, 3 * headDim);
  return graph.split(byHead, [headDim, headDim, headDim])
    .map((part) => graph.reshape(part, 0, 0, heads * headDim));
}

/** What enters the last projection of a feed-forward layer. */
function bent(
  build: DecoderBuilder,
  { modules, activation, feedForwardWidth }: TransformerConfig,
  x: string,
  block: string,
): string {
  const { graph } = build;
  const linear = (name: string) => build.linear(x, `${block}${name}`);
  if (activation === "gelu") return build.geluErf(linear(modules.up!));
  if (activation === "gelu_tanh") return build.geluTanh(linear(modules.up!));
  const [gate, up] = modules.gateUp === undefined
    ? [linear(modules.gate!), linear(modules.up!)]
    : graph.split(linear(modules.gateUp), [feedForwardWidth, feedForwardWidth]);
  const opened = activation === "swiglu" ? build.silu(gate) : build.geluTanh(gate);
  return graph.node("Mul", [opened, up]);
}

/** The angles of the tokens' positions. */
function anglesOf(
  build: DecoderBuilder,
  { width, heads, headDim = width / heads, rotaryWidth = headDim }: TransformerConfig,
  name: string,
  how: { theta: number; scaling?: RotaryScaling },
): Angles {
  const { graph } = build;
  graph.scope = `${name}/`;
  const frequencies = rotaryFrequencies({ headDim: rotaryWidth, ...how });
  const positions = graph.node("Unsqueeze", [
    graph.toFloat(build.positions),
    graph.integers(2, 3),
  ]); // (B, S, 1, 1)
  const angles = graph.node("Mul", [positions, graph.numbers(`${name}.frequencies`, frequencies)]);
  const magnitude = rotaryMagnitude(how.scaling);
  const cosine = graph.scale(graph.node("Cos", [angles]), magnitude);
  const sine = graph.scale(graph.node("Sin", [angles]), magnitude);
  graph.scope = "";
  return { cosine, sine };
}

/** Turns heads, (B, S, H, D), or the first elements of each. */
function turn(
  build: DecoderBuilder,
  { width, heads, headDim = width / heads, rotaryWidth = headDim }: TransformerConfig,
  x: string,
  { cosine, sine }: Angles,
): string {
  const { graph } = build;
  const half = rotaryWidth / 2;
  const rest = headDim - rotaryWidth;
  const [first, second, ...others] = graph.split(x, [half, half, ...(rest > 0 ? [rest] : [])]);
  const product = (a: string, b: string) => graph.node("Mul", [a, b]);
  const turned = [
    graph.node("Sub", [product(first, cosine), product(second, sine)]),
    graph.node("Add", [product(second, cosine), product(first, sine)]),
  ];
  return graph.node("Concat", [...turned, ...others], { axis: -1 });
}
