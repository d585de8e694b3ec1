/**
 * How many bytes a buffer may have on an adapter: probed once, then remembered.
 *
 * A GPU may refuse buffers that its limits allow, though its memory is free: where a small part of the memory can be seen by the
 * CPU (256 MiB on many), wgpu 28 and 29 refuse each buffer that would not fit that part, from some 37 MB
 * (denoland/deno#35195, gfx-rs/wgpu#9206). How much of that part is free differs by the day and by what else runs. So a GPU
 * whose largest buffer fails gets small ones, not those that happened to fit.
 *
 * @module
 */

import { Faults } from "./faults.ts";
import { recall, remember } from "./measurements.ts";

const MIB = 1024 * 1024;

/** Bytes of a buffer that every GPU takes: WebGPU guarantees more, and no driver is known to refuse them. */
export const SAFE_BUFFER_SIZE = 32 * MIB;

/** Bytes of the largest buffer that is tried: the embedding of Llama 3.2 1B has 1,002 MiB. */
const WANTED = 1024 * MIB;

/** Changes whenever the probe does. */
const VERSION = 1;

/**
 * Finds how many bytes a buffer may have. The first time on an adapter it makes one as large as training needs, writes both
 * ends of it, copies them, and compares what comes back.
 *
 * @param adapterKey Which adapter.
 * @param device The GPU.
 * @returns The most bytes that were found sound, or {@linkcode SAFE_BUFFER_SIZE}.
 */
export async function findMaxBufferSize(adapterKey: string, device: GPUDevice): Promise<number> {
  const wanted = Math.min(WANTED, Number(device.limits.maxBufferSize));
  if (wanted <= SAFE_BUFFER_SIZE) return wanted;
  const key = `buffers ${VERSION} ${adapterKey} Deno ${Deno.version.deno}`;
  const known = Number((await recall(key))?.bytes);
  if (known === SAFE_BUFFER_SIZE || known === wanted) return known;
  // Remembered first: a driver in which the process ends is not asked again.
  await remember(key, { bytes: `${SAFE_BUFFER_SIZE}` });
  if (!await isSound(device, wanted)) return SAFE_BUFFER_SIZE;
  await remember(key, { bytes: `${wanted}` });
  return wanted;
}

/** Elements that are written at each end. */
const ELEMENTS = 64;

/** Whether a buffer of a size can be made and holds at both ends what is written there. */
async function isSound(device: GPUDevice, size: number): Promise<boolean> {
  const written = Uint32Array.from({ length: 2 * ELEMENTS }, (_, i) => 0x9e37_79b9 * (i + 1));
  const faults = new Faults(device, "under test");
  const buffers: GPUBuffer[] = [];
  try {
    const staging = faults.watch(() => "cannot probe a buffer", () => {
      const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
      const large = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
      buffers.push(large);
      const half = written.byteLength / 2;
      const usage = MAP_READ | COPY_DST;
      const staging = device.createBuffer({ size: written.byteLength, usage });
      buffers.push(staging);
      const ends = [0, Math.floor((size - half) / 4) * 4];
      const encoder = device.createCommandEncoder();
      for (const [i, end] of ends.entries()) {
        device.queue.writeBuffer(large, end, written, i * ELEMENTS, ELEMENTS);
        encoder.copyBufferToBuffer(large, end, staging, i * half, half);
      }
      device.queue.submit([encoder.finish()]);
      return staging;
    });
    await faults.settle();
    await staging.mapAsync(GPUMapMode.READ);
    return new Uint32Array(staging.getMappedRange()).every((value, i) => value === written[i]);
  } catch {
    return false; // a GPU that is lost says so when it is used
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}
