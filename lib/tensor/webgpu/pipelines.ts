/**
 * Compiled kernels, kept by their source and by which buffers they use, and the bind groups made for them.
 *
 * @module
 */

import type { Kernel } from "../device.ts";
import { checkWgsl } from "./check_wgsl.ts";
import type { Faults } from "./faults.ts";
import type { Dispatch } from "./program.ts";

/** Bind groups kept at most; a training step of the largest GPT-2 makes about 3,000. */
const MAX_BIND_GROUPS = 8192;

/** One buffer that a dispatch uses, or the part of it that it sees. */
export interface Binding {
  /** Number in the WGSL. */
  readonly binding: number;
  readonly buffer: GPUBuffer;
  /** Number of the buffer, never used again for another. */
  readonly id: number;
  readonly offset: number;
  readonly size: number;
}

/** A pipeline with an explicit layout. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly id: number;
  readonly hasUniforms: boolean;
  readonly label: string;
}

/** Compiles each entry point once. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #faults: Faults;
  readonly #pipelines = new Map<string, Map<string, Pipeline>>();
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  readonly #uniforms: GPUBuffer;
  readonly #uniformSize: number;
  #count = 0;

  /**
   * @param device The GPU.
   * @param faults What went wrong with it.
   * @param uniforms The buffer that all uniform structs lie in, at offsets given with each dispatch.
   * @param uniformSize Bytes that a kernel sees of it.
   */
  constructor(device: GPUDevice, faults: Faults, uniforms: GPUBuffer, uniformSize: number) {
    this.#device = device;
    this.#faults = faults;
    this.#uniforms = uniforms;
    this.#uniformSize = uniformSize;
  }

  /**
   * Finds or compiles the pipeline of a dispatch. Layouts are explicit and name only what the entry point uses, so that
   * a kernel with more buffers than a stage can have runs in several entry points.
   *
   * @param kernel The kernel.
   * @param dispatch The dispatch.
   * @returns The pipeline.
   */
  pipeline(kernel: Kernel, dispatch: Dispatch): Pipeline {
    const program = kernel.webgpu;
    const source = dispatch.source ?? program.source;
    const entryPoint = dispatch.entryPoint ?? program.entryPoint ?? "main";
    const used = dispatch.buffers?.join() ?? "";
    const key = `${kernel.name}:${entryPoint}:${used}:${dispatch.scratchBytes !== undefined}`;
    const ofSource = this.#pipelines.get(source) ?? new Map<string, Pipeline>();
    this.#pipelines.set(source, ofSource);
    const found = ofSource.get(key);
    if (found) return found;
    const made = this.#faults.watch(
      () => `cannot compile the kernel "${kernel.name}"`,
      () => this.#compile(kernel, dispatch, source, entryPoint),
    );
    ofSource.set(key, made);
    return made;
  }

  #compile(kernel: Kernel, dispatch: Dispatch, source: string, entryPoint: string): Pipeline {
    checkWgsl(kernel, source);
    const names = Object.keys(kernel.buffers);
    const visibility = GPUShaderStage.COMPUTE;
    const entries: GPUBindGroupLayoutEntry[] = [];
    names.forEach((name, binding) => {
      if (dispatch.buffers && !dispatch.buffers.includes(name)) return;
      const type = kernel.buffers[name] === "read" ? "read-only-storage" : "storage";
      entries.push({ binding, visibility, buffer: { type } });
    });
    const hasUniforms = Object.keys({ ...kernel.params, ...kernel.webgpu.uniforms }).length > 0;
    if (hasUniforms) {
      const buffer: GPUBufferBindingLayout = { type: "uniform", hasDynamicOffset: true };
      entries.push({ binding: names.length, visibility, buffer });
    }
    if (dispatch.scratchBytes !== undefined) {
      entries.push({ binding: names.length + 1, visibility, buffer: { type: "storage" } });
    }
    const label = entryPoint === "main" ? kernel.name : `${kernel.name} (${entryPoint})`;
    const layout = this.#device.createBindGroupLayout({ label, entries });
    const pipeline = this.#device.createComputePipeline({
      label,
      layout: this.#device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: { module: this.#device.createShaderModule({ label, code: source }), entryPoint },
    });
    return { pipeline, layout, id: this.#count++, hasUniforms, label };
  }

  /**
   * Finds or makes a bind group. Steps of training use the same buffers again and again, and making one takes tens of
   * microseconds.
   *
   * @param pipeline What it is for.
   * @param bindings The buffers.
   * @param uniformBinding Number of the uniform struct in the WGSL.
   * @returns The bind group.
   */
  bindGroup(
    pipeline: Pipeline,
    bindings: readonly Binding[],
    uniformBinding: number,
  ): GPUBindGroup {
    let key = String(pipeline.id);
    for (const { id, offset, size } of bindings) key += `/${id}:${offset}:${size}`;
    const found = this.#bindGroups.get(key);
    if (found) return found;
    const entries: GPUBindGroupEntry[] = bindings.map(({ binding, buffer, offset, size }) => ({
      binding,
      resource: { buffer, offset, size },
    }));
    if (pipeline.hasUniforms) {
      const resource = { buffer: this.#uniforms, offset: 0, size: this.#uniformSize };
      entries.push({ binding: uniformBinding, resource });
    }
    if (this.#bindGroups.size >= MAX_BIND_GROUPS) this.#bindGroups.clear();
    const { label, layout } = pipeline;
    const made = this.#device.createBindGroup({ label, layout, entries });
    this.#bindGroups.set(key, made);
    return made;
  }

  /** Lets go of all bind groups, and with them of the buffers that they hold. */
  forgetBindGroups(): void {
    this.#bindGroups.clear();
  }
}
