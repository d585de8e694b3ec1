// A cache folder for one test, so that what it remembers of GPUs is not taken for this machine's.

import { measurementsPath } from "../../lib/tensor/webgpu/measurements.ts";

/** Runs a body with a cache folder of its own. */
export async function withCache(body: (path: string) => Promise<void>): Promise<void> {
  const variable = Deno.build.os === "windows" ? "LOCALAPPDATA" : "XDG_CACHE_HOME";
  const before = Deno.env.get(variable);
  const folder = await Deno.makeTempDir({ prefix: "tunebook-cache-" });
  Deno.env.set(variable, folder);
  try {
    await body(measurementsPath()!);
  } finally {
    if (before === undefined) Deno.env.delete(variable);
    else Deno.env.set(variable, before);
    await Deno.remove(folder, { recursive: true });
  }
}
