/**
 * How a kernel runs on a GPU: its WGSL and a plan of dispatches. Pure data and functions; nothing here touches a GPU.
 *
 * In the WGSL, buffer number i of the kernel (in the order of `Kernel.buffers`) is `@group(0) @binding(i)`, and the
 * uniform struct with the parameters (in the order of `Kernel.params`, 4 bytes each) is the binding after the last
 * buffer. An empty list of parameters has no uniform.
 *
 * @module
 */

/** What a plan may look at. */
export interface PlanInput<B extends string, P extends string> {
  /** The scalars the kernel was called with. */
  readonly params: Readonly<Record<P, number>>;
  /** Bytes of each buffer. */
  readonly byteLengths: Readonly<Record<B, number>>;
  /** The most bytes of a buffer that one binding can show. */
  readonly maxBindingSize: number;
  /** Byte offsets of bindings must be multiples of this. */
  readonly offsetAlignment: number;
  /** Whether the adapter is software (lavapipe, SwiftShader), where other tilings win. */
  readonly software: boolean;
  /** The tiling chosen for this adapter by name of the op, where one was tuned. */
  readonly tuning: Readonly<Record<string, string>>;
}

/** One dispatch of a plan. */
export interface Dispatch<B extends string, P extends string> {
  /** WGSL of this dispatch when it is not the program's. */
  readonly source?: string;
  /** Entry point, by default the program's. */
  readonly entryPoint?: string;
  /** Values of WGSL `override` constants. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Changed parameters, such as the rows this dispatch sees. */
  readonly params?: Partial<Record<P, number>>;
  /** The part of a buffer this dispatch sees, in bytes; the whole when not named. */
  readonly ranges?: Partial<Record<B, { offset: number; size: number }>>;
  /** How many workgroups, along x, y, z. Counts over 65,535 are folded by the plan itself. */
  readonly workgroups: readonly [number, number?, number?];
}

/** A kernel's GPU side. */
export interface Program<B extends string = string, P extends string = string> {
  /** The WGSL. */
  readonly source: string;
  /** The entry point; `"main"` by default. */
  readonly entryPoint?: string;
  /** Says which dispatches to make, in order. */
  plan(input: PlanInput<B, P>): Dispatch<B, P>[];
}
