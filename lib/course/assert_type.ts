// A check of types that a test cell holds.

/** `true` if two types are identical, `any` being identical to itself only; otherwise what differs. */
export type Exact<Expected, Got> = (<T>() => T extends Expected ? 1 : 2) extends
  (<T>() => T extends Got ? 1 : 2) ? true : { expected: Expected; got: Got };

/**
 * Asserts that something has exactly a type. The compiler checks it, in an editor and when `tunebook grade` grades the
 * test cell that holds the call; the call itself does nothing.
 *
 * @param _difference Nothing if the types are identical. If not, no argument fits.
 *
 * @example
 * ```ts
 * import { assertType } from "tunebook/course";
 *
 * const twice = (x: number) => 2 * x;
 * assertType<(x: number) => number, typeof twice>();
 * ```
 */
export function assertType<Expected, Got>(
  ..._difference: Exact<Expected, Got> extends true ? [] : [Exact<Expected, Got> & never]
): void {}
