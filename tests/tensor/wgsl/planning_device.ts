// A device that plans the dispatches of a GPU and passes them to a function, which may run them in JavaScript. It can have the
// limits and tilings of any GPU. New memory is filled with NaN.

import { assertLessOrEqual } from "@std/assert";
import type { Device, DeviceBuffer, Kernel, ParamType } from "../../../lib/tensor/device.ts";
import type { WgslDispatch } from "./run.ts";

interface Buffer extends DeviceBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The properties of a GPU that plans depend on. */
export interface GpuTraits {
  readonly software: boolean;
  readonly tuning: Readonly<Record<string, string>>;
  readonly maxBindingSize: number;
  readonly maxKernelBuffers: number;
}

/** A text that a GPU would compile. */
export interface SeenWgsl {
  /** The kernel's name. */
  readonly name: string;
  readonly code: string;
  readonly entryPoint: string;
}

/** The device. */
export class PlanningDevice implements Device {
  readonly kind = "webgpu";
  readonly name = "no GPU";
  readonly facts = {};
  readonly allocatedBytes = 0;
  /** All texts and entry points so far. */
  readonly seen = new Map<string, SeenWgsl>();
  readonly #run: (dispatch: WgslDispatch, written: readonly number[]) => void;
  #traits: GpuTraits = {
    software: false,
    tuning: {},
    maxBindingSize: 2 ** 27,
    maxKernelBuffers: 8,
  };

  /** @param run Receives each dispatch, and the numbers of the bindings that it writes. */
  constructor(run: (dispatch: WgslDispatch, written: readonly number[]) => void) {
    this.#run = run;
  }

  get maxBindingSize(): number {
    return this.#traits.maxBindingSize;
  }

  get maxKernelBuffers(): number {
    return this.#traits.maxKernelBuffers;
  }

  /** Changes its properties. */
  become(traits: Partial<GpuTraits>): void {
    this.#traits = { ...this.#traits, ...traits };
  }

  allocate(byteLength: number): Buffer {
    const bytes = unwritten(Math.max(256, Math.ceil(byteLength / 4) * 4));
    return { byteLength: bytes.byteLength, bytes };
  }

  release(): void {}

  write(buffer: DeviceBuffer, data: Float32Array | Int32Array, byteOffset = 0): void {
    const from = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    (buffer as Buffer).bytes.set(from, byteOffset);
  }

  read(buffer: DeviceBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer> {
    const { bytes } = buffer as Buffer;
    return Promise.resolve(bytes.slice(byteOffset, byteOffset + byteLength).buffer);
  }

  run<B extends string, P extends string>(
    kernel: Kernel<B, P>,
    buffers: { [name in B]: DeviceBuffer },
    params: { [name in P]: number },
  ): void {
    const { name, webgpu: program } = kernel;
    const names = Object.keys(kernel.buffers) as B[];
    const byteLengths = Object.fromEntries(
      names.map((buffer) => [buffer, buffers[buffer].byteLength]),
    ) as Record<B, number>;
    const { maxBindingSize, software, tuning } = this.#traits;
    const limits = { maxBindingSize, offsetAlignment: 256, software, tuning };
    const dispatches = program.plan({ ...limits, params, byteLengths });
    const scratch = unwritten(Math.max(...dispatches.map(({ scratchBytes = 0 }) => scratchBytes)));
    for (const made of dispatches) {
      const code = made.source ?? program.source;
      const entryPoint = made.entryPoint ?? program.entryPoint ?? "main";
      this.seen.set(`${entryPoint}\n${code}`, { name, code, entryPoint });
      const bindings = new Map<number, Uint8Array<ArrayBuffer>>();
      names.forEach((buffer, binding) => {
        if (made.buffers && !made.buffers.includes(buffer)) return;
        const { bytes } = buffers[buffer] as Buffer;
        const { offset, size } = made.ranges?.[buffer] ?? { offset: 0, size: bytes.byteLength };
        bindings.set(binding, bytes.subarray(offset, offset + size));
      });
      if (made.scratchBytes !== undefined) bindings.set(names.length + 1, scratch);
      assertLessOrEqual(bindings.size, this.maxKernelBuffers, `${name} takes too many buffers`);
      const uniforms = new DataView(new ArrayBuffer(256));
      const values = { ...params, ...made.params, ...made.uniforms } as Record<string, number>;
      const types = { ...kernel.params, ...program.uniforms } as Record<string, ParamType>;
      Object.entries(types).forEach(([uniform, type], i) => {
        const value = values[uniform] ?? 0;
        if (type === "f32") uniforms.setFloat32(4 * i, value, true);
        else uniforms.setUint32(4 * i, value, true);
      });
      const [x, y = 1, z = 1] = made.workgroups;
      const written = names.map((buffer, binding) => ({ access: kernel.buffers[buffer], binding }))
        .filter(({ access }) => access !== "read").map(({ binding }) => binding);
      const dispatch = { code, entryPoint, workgroups: [x, y, z], bindings, uniforms } as const;
      try {
        this.#run(dispatch, [...written, names.length + 1]);
      } catch (error) {
        throw new Error(`${name}, ${entryPoint}: ${(error as Error).message}`, { cause: error });
      }
    }
  }

  sync(): Promise<void> {
    return new Promise((end) => setTimeout(end, 2));
  }

  startProfile(): string {
    return "";
  }

  stopProfile(): Promise<never[]> {
    return Promise.resolve([]);
  }

  trim(): void {}

  close(): void {}
}

function unwritten(byteLength: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Float32Array(byteLength / 4).fill(NaN).buffer);
}
