/**
 * How devices and tensors are stored between runs of a notebook.
 *
 * @module
 */

import { registerRestorable } from "../restorable.ts";
import type { Device, DeviceKind } from "./device.ts";
import { assumeRecorded, describeDifferences } from "./facts.ts";
import { pickUnrecorded } from "./pick.ts";
import { Tensor } from "./tensor.ts";

registerRestorable({
  kind: "device",
  matches: (value) => isDevice(value),
  save: (value) => {
    const { kind, facts } = value as Device;
    return Promise.resolve({ kind, facts: { ...facts } });
  },
  async restore(data) {
    const { kind, facts } = data as { kind: DeviceKind; facts: Record<string, unknown> };
    const device = await pickUnrecorded({ device: kind });
    const differences = describeDifferences(facts, device.facts);
    if (differences.length > 0) {
      throw new TypeError(`the device is another one now: ${differences.join("; ")}`);
    }
    // The cell that picked it is not run again, and its record is kept.
    assumeRecorded(device);
    return device;
  },
});

/** A tensor in plain data, its device apart. */
interface KeptTensor {
  device: Device;
  shape: number[];
  requiresGrad: boolean;
  data: Float32Array;
}

registerRestorable({
  kind: "tensor",
  matches: (value) => value instanceof Tensor,
  async save(value): Promise<KeptTensor> {
    const tensor = value as Tensor;
    if (tensor.disposed) throw new TypeError("it is, or holds, a tensor that is disposed");
    if (tensor.dtype !== "f32") {
      throw new TypeError(`it is, or holds, a tensor of type "${tensor.dtype}"`);
    }
    const { device, shape, requiresGrad } = tensor;
    return { device, shape: [...shape], requiresGrad, data: await tensor.data() };
  },
  restore(data, _folder, existing) {
    const { device, shape, requiresGrad, data: values } = data as KeptTensor;
    const present = existing as Tensor | undefined;
    if (
      present !== undefined && !present.disposed && present.device === device &&
      present.dtype === "f32" && present.shape.join() === shape.join()
    ) {
      present.assign(values);
      return Promise.resolve(present);
    }
    const tensor = Tensor.from(device, values, shape).keep();
    tensor.requiresGrad = requiresGrad;
    return Promise.resolve(tensor);
  },
});

function isDevice(value: unknown): value is Device {
  const device = value as Partial<Device> | null;
  return typeof device === "object" && device !== null &&
    (device.kind === "cpu" || device.kind === "webgpu") &&
    typeof device.allocate === "function" && typeof device.facts === "object";
}
