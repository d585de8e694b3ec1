// How tensors cross between a test and the student's code: by their elements. Both processes load this module.

import type { ValueCodec } from "../../grade/standins/codec.ts";
import { CpuDevice } from "../../tensor/cpu/device.ts";
import { defaultDevice, sizeOf, Tensor } from "../../tensor/mod.ts";

/** What a tensor is in plain data. */
interface SentTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** The codec of tensors; no gradient crosses. */
export const codecs: readonly ValueCodec[] = [{
  name: "tensor",
  test: (value) => value instanceof Tensor,
  encode(value): SentTensor {
    const { device, shape, dtype, buffer, size } = value as Tensor;
    if (!(device instanceof CpuDevice)) {
      throw new TypeError("a tensor of a GPU cannot cross: pass what its data() gives");
    }
    if (dtype !== "f32" && dtype !== "i32") {
      throw new TypeError(`a tensor of type "${dtype}" cannot cross`);
    }
    const bytes = size === 0 ? new ArrayBuffer(0) : device.readNow(buffer, 0, size * 4);
    const data = dtype === "i32" ? new Int32Array(bytes) : new Float32Array(bytes);
    return { shape: [...shape], data };
  },
  decode(parts): Tensor {
    const { shape, data } = (parts ?? {}) as Partial<SentTensor>;
    const isShape = Array.isArray(shape) &&
      shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
    const isData = data instanceof Float32Array || data instanceof Int32Array;
    if (!isShape || !isData || sizeOf(shape) !== data.length) {
      throw new TypeError("a tensor has a shape, and as many elements");
    }
    return Tensor.from(defaultDevice(), data, shape);
  },
}];
