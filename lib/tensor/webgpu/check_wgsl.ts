/**
 * Holds WGSL to the kernel that it is for: what is not the same in both would go unnoticed, and compute nonsense.
 *
 * @module
 */

import type { Kernel } from "../device.ts";

/**
 * Checks that the uniform struct has the kernel's parameters and then the program's, and that each binding has the
 * name that its number has in the kernel.
 *
 * @param kernel The kernel.
 * @param source The WGSL of one of its dispatches.
 * @throws {TypeError} If something is missing, too much, or in another place.
 */
export function checkWgsl(kernel: Kernel, source: string): void {
  const expected = Object.entries({ ...kernel.params, ...kernel.webgpu.uniforms })
    .map(([name, type]) => `${name}: ${type}`);
  const struct = /struct Params \{([^}]*)\}/.exec(source)?.[1] ?? "";
  const found = struct.replaceAll(/\/\/.*/g, "").split(",").map((field) => field.trim())
    .filter(Boolean);
  if (found.join(", ") !== expected.join(", ")) {
    throw new TypeError(
      `Cannot compile the kernel "${kernel.name}": its WGSL has the parameters ` +
        `(${found.join(", ")}), expected (${expected.join(", ")})`,
    );
  }
  const names = Object.keys(kernel.buffers);
  for (const [, number, name] of source.matchAll(/@binding\((\d+)\) var<storage, \w+> (\w+)/g)) {
    const wanted = names[Number(number)];
    if (wanted !== undefined && wanted !== name) {
      throw new TypeError(
        `Cannot compile the kernel "${kernel.name}": its WGSL has "${name}" at binding ${number}, ` +
          `expected "${wanted}"`,
      );
    }
  }
}
