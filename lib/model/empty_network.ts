// A network without values: each weight has its shape and type, for estimates on a device that computes nothing.

import { dequantize, type Device, isPacked, Tensor } from "../tensor/mod.ts";
import type { ModelPlan } from "./families/family.ts";
import type { Network } from "./model.ts";
import { packedTypeOf, type Quantization } from "./quantize.ts";
import type { StoredWeight } from "./stored_weights.ts";

/** A weight in a file, as far as an estimate needs it. */
export type WeightFacts = Omit<StoredWeight, "values" | "bytes">;

/**
 * Makes a network as `loadNetwork()` does, taking the same memory in the same order, without reading a weight.
 *
 * @param plan The model.
 * @param device Where; its content is not defined.
 * @param factsOf The type that a weight is stored in.
 * @param quantize How matrices are stored; float32 by default.
 * @returns The network.
 */
export function emptyNetwork(
  plan: ModelPlan,
  device: Device,
  factsOf: (parameter: string) => WeightFacts,
  quantize?: Quantization,
): Network {
  const parameters = new Map<string, Tensor>();
  for (const [parameter, shape] of plan.shapes) {
    const facts = factsOf(parameter);
    const type = quantize && packedTypeOf(facts, quantize);
    parameters.set(
      parameter,
      (type ? Tensor.empty(device, shape, type) : widened(device, facts)).keep(),
    );
  }
  return plan.build(parameters);
}

/** A weight in float32, which the device widens if it knows the stored type. */
function widened(device: Device, { shape, type, transposed }: WeightFacts): Tensor {
  const packed = type.toLowerCase();
  if (shape.length !== 2 || transposed || type === "NF4" || !isPacked(packed)) {
    return Tensor.empty(device, shape);
  }
  using stored = Tensor.empty(device, shape, packed);
  return dequantize(stored);
}
