/**
 * How a kernel runs on a GPU: its WGSL and a plan of dispatches. Pure data and functions; nothing here touches a GPU.
 *
 * In the WGSL, buffer number i of the kernel (in the order of `Kernel.buffers`) is `@group(0) @binding(i)`: declared
 * `read` where the kernel's access is `read`, else `read_write`. The uniform struct is the binding after the last
 * buffer: the parameters (in the order of `Kernel.params`, 4 bytes each), then the program's own `uniforms`. Scratch
 * memory, where a program wants some, is the binding after that.
 *
 * @module
 */

/** The type of a kernel's scalar parameter. */
export type ParamType = "u32" | "i32" | "f32";

/** What a plan may look at. */
export interface PlanInput<B extends string, P extends string> {
  /** The scalars the kernel was called with. */
  readonly params: Readonly<Record<P, number>>;
  /** Bytes of each buffer, as the pool gave it: at least what the kernel uses. */
  readonly byteLengths: Readonly<Record<B, number>>;
  /** The most bytes of a buffer that one binding can show. */
  readonly maxBindingSize: number;
  /** Byte offsets of bindings must be multiples of this, a power of two from 4 to 256. */
  readonly offsetAlignment: number;
  /** Whether the adapter is software (lavapipe, SwiftShader), where other tilings win. */
  readonly software: boolean;
  /** The tiling chosen for this adapter by name of the op, where one was tuned. */
  readonly tuning: Readonly<Record<string, string>>;
}

/** A part of a buffer, in bytes. */
export interface Range {
  /** Where it begins. */
  readonly offset: number;
  /** How long it is. */
  readonly size: number;
}

/** One dispatch of a plan. */
export interface Dispatch<B extends string = string, P extends string = string> {
  /** WGSL of this dispatch when it is not the program's. */
  readonly source?: string;
  /** Entry point, by default the program's. */
  readonly entryPoint?: string;
  /** Changed parameters, such as the rows this dispatch sees. */
  readonly params?: Partial<Record<P, number>>;
  /** Values of the program's own uniforms; 0 where not named. */
  readonly uniforms?: Readonly<Record<string, number>>;
  /** The buffers that this entry point uses; all by default. A stage has at most 8. */
  readonly buffers?: readonly B[];
  /** The part of a buffer this dispatch sees; the whole when not named. */
  readonly ranges?: Partial<Record<B, Range>>;
  /** Bytes of the scratch memory that it uses, if any: the dispatches of one run share it. Undefined content at first. */
  readonly scratchBytes?: number;
  /** How many workgroups, along x, y, z. Counts over 65,535 are folded by the plan itself. */
  readonly workgroups: readonly [number, number?, number?];
}

/** A kernel's GPU side. */
export interface Program<B extends string = string, P extends string = string> {
  /** The WGSL. */
  readonly source: string;
  /** The entry point; `"main"` by default. */
  readonly entryPoint?: string;
  /** Scalars that only the plan knows, such as where a part begins. They follow the kernel's in the uniform struct. */
  readonly uniforms?: Readonly<Record<string, ParamType>>;
  /** Says which dispatches to make, in order. */
  plan(input: PlanInput<B, P>): Dispatch<B, P>[];
}
