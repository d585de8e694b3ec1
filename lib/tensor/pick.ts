/**
 * Which device to compute on.
 *
 * @module
 */

import { findBlas } from "./cpu/blas/find.ts";
import type { MatmulPrecision } from "./cpu/blas/blas.ts";
import { CpuDevice } from "./cpu/device.ts";
import type { Device, DeviceKind } from "./device.ts";
import { recordDevice } from "./facts.ts";
import { adapterKey, findAdapter, INSTALL_HINT, isSoftware } from "./webgpu/adapter.ts";
import { WebGpuDevice } from "./webgpu/device.ts";
import { recall, remember } from "./webgpu/measurements.ts";
import { timeMatmul } from "./webgpu/tuning.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

export type { MatmulPrecision } from "./cpu/blas/blas.ts";
export { type AdapterDescription, describeAdapters } from "./webgpu/adapter.ts";

/** Options of {@linkcode pick}. */
export interface PickOptions {
  /**
   * `"webgpu"`, `"cpu"`, or `"auto"`: a hardware GPU where that is faster than the CPU. By default what
   * `TUNEBOOK_DEVICE` says, else `"auto"`.
   */
  readonly device?: "auto" | DeviceKind;
  /**
   * Whether a software adapter will do where there is no GPU. By default only for `device: "webgpu"`, since it is slower
   * than the CPU device.
   */
  readonly software?: boolean;
  /** Threads of the CPU device; by default one a core. */
  readonly threads?: number;
  /** Whether the CPU device uses the system's BLAS. By default yes. */
  readonly blas?: boolean;
  /**
   * What matrices are rounded to before they are multiplied: `"float32"`, not at all, or `"bfloat16"`, whose 8 bits suffice
   * for much training, at up to twice the speed, on a CPU whose processor and library multiply it. Sums, weights and all
   * else stay float32, and so do products with fewer than 16 rows, columns or terms. By default what
   * `TUNEBOOK_MATMUL_PRECISION` says, else `"float32"`.
   */
  readonly matmulPrecision?: MatmulPrecision;
}

const PICK_OPTIONS: OptionNames<PickOptions> = {
  device: true,
  software: true,
  threads: true,
  blas: true,
  matmulPrecision: true,
};

/** A matrix product typical of a training step; the faster device at this is the faster one. */
const SHAPE = { m: 256, n: 1024, k: 1024 };

/** Devices of this process, by their options, since each holds threads or a GPU. */
const opened = new Map<string, Promise<Device>>();
const reasons = new WeakMap<Device, string>();

/**
 * Picks the device to compute on: a hardware GPU if there is one that is faster than the CPU
 * (measured once and remembered), otherwise the CPU.
 *
 * The same options give the same device, until it is closed. Its facts are recorded for reports, once.
 *
 * @param options Which device, where one is wanted.
 * @returns The device. {@linkcode reasonFor} tells why this one.
 * @throws {TypeError} If WebGPU is asked for and there is no adapter.
 * @throws {RangeError} If `TUNEBOOK_DEVICE` names no device.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pick } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu", threads: 1 });
 * assertEquals(device.kind, "cpu");
 * device.close();
 * ```
 */
export async function pick(options: PickOptions = {}): Promise<Device> {
  assertKnownOptions("choose a device", options, PICK_OPTIONS);
  if (options.device !== undefined) parseDevice(options.device);
  const device = await pickUnrecorded(options);
  await recordDevice(device);
  return lastPicked = device;
}

/** The device that new tensors live on where none is named. */
let lastPicked: Device | undefined;

/**
 * The default device of new tensors: the one that {@linkcode pick} or {@linkcode setDefaultDevice}
 * chose last in this process, otherwise the CPU.
 *
 * @returns The device.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { defaultDevice, zeros } from "tunebook/tensor";
 *
 * assertEquals(zeros([2]).device, defaultDevice());
 * ```
 */
export function defaultDevice(): Device {
  if (lastPicked && !lastPicked.hasFailed) return lastPicked;
  const device = new CpuDevice({ matmulPrecision: precisionOf({}) });
  opened.set(cpuKey({}), Promise.resolve(forgetWhenClosed(cpuKey({}), device)));
  reasons.set(device, "no other was picked");
  // Nobody waits for the report's manifest here, and nothing fails without it.
  recordDevice(device).catch(() => {});
  return lastPicked = device;
}

/**
 * Chooses the device that tensors are made on where none is named.
 *
 * @param device The device.
 * @example
 * ```ts
 * import { pick, setDefaultDevice } from "tunebook/tensor";
 *
 * setDefaultDevice(await pick({ device: "cpu" }));
 * ```
 */
export function setDefaultDevice(device: Device): void {
  lastPicked = device;
}

/** Picks a device as {@linkcode pick} does, and leaves the manifest as it is. */
export async function pickUnrecorded(options: PickOptions): Promise<Device> {
  const wanted = options.device ?? deviceFromEnvironment();
  if (precisionOf(options) === "bfloat16") {
    if (wanted !== "webgpu") return await openCpu(options, "it multiplies in bfloat16");
    throw new TypeError('Cannot multiply in bfloat16 with WebGPU: expected the device "cpu"');
  }
  if (wanted === "cpu") return await openCpu(options, "it was asked for");
  const software = options.software ?? wanted === "webgpu";
  const adapter = await findAdapter({ software });
  if (wanted === "webgpu") {
    if (!adapter) {
      throw new TypeError(`Cannot compute with WebGPU: no adapter was found; ${INSTALL_HINT}`);
    }
    return await openGpu(adapter, "it was asked for");
  }
  if (!adapter) return await openCpu(options, "there is no GPU");
  if (isSoftware(adapter)) return await openGpu(adapter, "a software adapter was asked for");
  return await pickFaster(adapter, options);
}

/**
 * Tells why a device was picked.
 *
 * @param device A device that {@linkcode pick} returned.
 * @returns Half a sentence, such as `"there is no GPU"`; undefined for other devices.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pick, reasonFor } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * console.log(reasonFor(device)); // why `pick()` chose it, where there was a choice
 * assertEquals(device.kind, "cpu");
 * device.close();
 * ```
 */
export function reasonFor(device: Device): string | undefined {
  return reasons.get(device);
}

/** A weak integrated GPU can lose to a BLAS, so the two are timed, once. */
async function pickFaster(adapter: GPUAdapter, options: PickOptions): Promise<Device> {
  const key = `faster device ${adapterKey(adapter)} ${cpuKey(options)}`;
  const known = await recall(key);
  if (known?.reason && known.device === "cpu") return await openCpu(options, known.reason);
  const before = new Set(opened.keys());
  let gpu: Device;
  try {
    gpu = await openGpu(adapter, known?.reason ?? "");
  } catch (error) {
    return await openCpu(options, `the GPU does not open: ${(error as Error).message}`);
  }
  if (known?.reason && known.device === "webgpu") return gpu;

  const cpu = await openCpu(options, "");
  const flops = 2 * SHAPE.m * SHAPE.n * SHAPE.k;
  const gpuSpeed = flops / await timeMatmul(gpu, SHAPE) / 1e9;
  const cpuSpeed = flops / await timeMatmul(cpu, SHAPE) / 1e9;
  const [faster, slower] = gpuSpeed > cpuSpeed ? [gpu, cpu] : [cpu, gpu];
  const reason = `measured at matrix products: GPU ${gpuSpeed.toPrecision(3)}, ` +
    `CPU ${cpuSpeed.toPrecision(3)} GFLOP/s`;
  await remember(key, { device: faster.kind, reason });
  reasons.set(faster, reason);
  // Somebody may have asked for the other by name before.
  const slowerKey = slower === gpu ? gpuKey(adapter) : cpuKey(options);
  if (!before.has(slowerKey)) slower.close();
  return faster;
}

function openCpu(options: PickOptions, reason: string): Promise<Device> {
  const device = {
    threads: options.threads,
    blas: options.blas,
    matmulPrecision: precisionOf(options),
  };
  return open(cpuKey(options), reason, () => Promise.resolve(new CpuDevice(device)));
}

function openGpu(adapter: GPUAdapter, reason: string): Promise<Device> {
  return open(gpuKey(adapter), reason, () => WebGpuDevice.open({ adapter }));
}

function gpuKey(adapter: GPUAdapter): string {
  return `webgpu ${adapterKey(adapter)}`;
}

function cpuKey(options: PickOptions): string {
  const { threads, blas } = options;
  const count = threads ?? Deno.env.get("TUNEBOOK_THREADS") ?? "all";
  const library = blas === false ? undefined : findBlas().used;
  return `cpu, threads: ${count}, ${precisionOf(options)}, BLAS: ${
    library ? `${library.name} ${library.core ?? ""} ${library.path}` : "none"
  }`;
}

async function open(key: string, reason: string, make: () => Promise<Device>): Promise<Device> {
  let pending = opened.get(key);
  // A GPU that was lost may be there again.
  if (!pending || (await pending).hasFailed) {
    pending = make().then((device) => forgetWhenClosed(key, device));
    opened.set(key, pending);
    pending.catch(() => opened.delete(key));
  }
  const device = await pending;
  if (reason) reasons.set(device, reason);
  return device;
}

/** Makes a device that is closed no longer one to be picked. */
function forgetWhenClosed(key: string, device: Device): Device {
  const close = device.close.bind(device);
  device.close = () => {
    opened.delete(key);
    if (lastPicked === device) lastPicked = undefined;
    close();
  };
  return device;
}

/**
 * Reads a device's name.
 *
 * @param name `"auto"`, `"cpu"` or `"webgpu"`.
 * @param source Where the name comes from, for the message.
 * @returns The name, as {@linkcode pick} takes it.
 * @throws {RangeError} If it is not one of these.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseDevice } from "tunebook/tensor";
 *
 * assertEquals(parseDevice("webgpu", "--device"), "webgpu");
 * ```
 */
export function parseDevice(name: string, source?: string): "auto" | DeviceKind {
  if (name !== "auto" && name !== "cpu" && name !== "webgpu") {
    throw new RangeError(
      `Cannot pick the device ${named(name, source)}: expected "auto", "cpu" or "webgpu"`,
    );
  }
  return name;
}

function deviceFromEnvironment(): "auto" | DeviceKind {
  return parseDevice(Deno.env.get("TUNEBOOK_DEVICE") || "auto", "TUNEBOOK_DEVICE");
}

/** What matrices are rounded to. */
function precisionOf({ matmulPrecision }: PickOptions): MatmulPrecision {
  if (matmulPrecision !== undefined) return parseMatmulPrecision(matmulPrecision);
  const name = Deno.env.get("TUNEBOOK_MATMUL_PRECISION") || "float32";
  return parseMatmulPrecision(name, "TUNEBOOK_MATMUL_PRECISION");
}

/** Reads a precision's name, which `source` gives. */
function parseMatmulPrecision(name: string, source?: string): MatmulPrecision {
  if (name === "float32" || name === "bfloat16") return name;
  throw new RangeError(
    `Cannot multiply in ${named(name, source)}: expected "float32" or "bfloat16"`,
  );
}

/** A name that is refused, with where it comes from, if that is known. */
function named(name: string, source?: string): string {
  return source === undefined ? JSON.stringify(name) : `"${name}" that ${source} names`;
}
