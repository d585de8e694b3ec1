/**
 * How models are stored between runs of a notebook: as files in Hugging Face's layout.
 *
 * @module
 */

import { join } from "@std/path/join";
import { registerRestorable } from "../restorable.ts";
import { type Device, Tensor } from "../tensor/mod.ts";
import { openSafetensors } from "../weights/safetensors/read.ts";
import { planModel } from "./architectures.ts";
import { saveNetwork, storedName } from "./files.ts";
import type { Network } from "./model.ts";

/** What is stored besides the files. */
interface KeptModel {
  device: Device;
  hasDropout: boolean;
}

registerRestorable({
  kind: "model",
  matches: (value) => isModel(value),
  async save(value, folder): Promise<KeptModel> {
    const model = value as Network;
    const packed = [...model.parameters.values()].find(({ dtype }) => dtype !== "f32");
    if (packed !== undefined) {
      throw new TypeError(`it is, or holds, a model with weights of type "${packed.dtype}"`);
    }
    if ([...model.linears.values()].some(({ adapter }) => adapter !== undefined)) {
      throw new TypeError("it is, or holds, a model with adapters");
    }
    await saveNetwork(model, folder);
    return { device: model.device, hasDropout: model.hasDropout };
  },
  async restore(data, folder, existing) {
    const { device, hasDropout } = data as KeptModel;
    using file = await openSafetensors(join(folder, "model.safetensors"));
    const path = join(folder, "config.json");
    const config = JSON.parse(await Deno.readTextFile(path));
    const plan = planModel(config, path);
    const stored = (name: string) => storedName(plan.family, name);
    const present = existing as Network | undefined;
    if (present !== undefined && sameShapes(present, plan.shapes)) {
      for (const name of plan.shapes.keys()) {
        present.parameters.get(name)!.assign(await file.read(stored(name)));
      }
      return present;
    }
    if (hasDropout) {
      throw new TypeError("a model with dropout cannot be created again, only restored in place");
    }
    const parameters = new Map<string, Tensor>();
    for (const [name, shape] of plan.shapes) {
      const values = await file.read(stored(name));
      parameters.set(name, Tensor.from(device, values, shape).keep());
    }
    return plan.build(parameters);
  },
});

function sameShapes(
  model: Network,
  shapes: ReadonlyMap<string, readonly number[]>,
): boolean {
  return model.parameters.size === shapes.size &&
    [...shapes].every(([name, shape]) => {
      const tensor = model.parameters.get(name);
      return tensor?.dtype === "f32" && tensor.shape.join() === shape.join();
    });
}

function isModel(value: unknown): value is Network {
  const model = value as Partial<Network> | null;
  return typeof model === "object" && model !== null && model.parameters instanceof Map &&
    model.linears instanceof Map && typeof model.toConfig === "function" &&
    typeof model.hidden === "function";
}
