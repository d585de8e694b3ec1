// Running a WGSL kernel that was written by hand, for chapter 3. It asks for WebGPU directly, as any page could.

/** What a kernel gave, or why there is nothing. */
export type KernelRun =
  | { readonly device: string; readonly result: Float32Array }
  | { readonly device: undefined; readonly reason: string };

/**
 * Runs a kernel with the bindings `x` (read) and `y` (read_write), both of f32.
 *
 * @param source WGSL with an entry point `main`.
 * @param x The input.
 * @param length Elements of y.
 * @param workgroupSize Threads of a workgroup, as the source says.
 * @returns y, or the reason why there is no WebGPU here. Errors in the source are thrown with their place.
 */
export async function runKernel(
  source: string,
  x: Float32Array<ArrayBuffer>,
  length: number,
  workgroupSize = 64,
): Promise<KernelRun> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return { device: undefined, reason: "This machine offers no WebGPU adapter" };
  const device = await adapter.requestDevice();
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: source });
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
  const [input, output, staging] = [
    GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  ].map((usage, i) => device.createBuffer({ usage, size: i === 0 ? x.byteLength : 4 * length }));
  device.queue.writeBuffer(input, 0, x);
  const error = await device.popErrorScope();
  if (error) throw new SyntaxError(error.message);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }));
  pass.setBindGroup(
    0,
    device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
  );
  pass.dispatchWorkgroups(Math.ceil(length / workgroupSize));
  pass.end();
  encoder.copyBufferToBuffer(output, 0, staging, 0, 4 * length);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const result = new Float32Array(staging.getMappedRange().slice(0));
  const name = adapter.info.description || adapter.info.device || "a WebGPU adapter";
  device.destroy();
  return { device: name, result };
}
