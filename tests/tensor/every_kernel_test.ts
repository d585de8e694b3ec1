// every_kernel.ts is complete: it is compared with the sources, so that a new kernel cannot be left out of the tests.

import { assert, assertEquals } from "@std/assert";
import { basename, fromFileUrl } from "@std/path";
import { type ProductSums, TILINGS, tilingSource } from "../../lib/tensor/ops/matmul/tilings.ts";
import { filesUnder } from "../check.ts";
import { runEveryKernel } from "./every_kernel.ts";
import { PlanningDevice } from "./wgsl/planning_device.ts";

const TENSOR = fromFileUrl(new URL("../../lib/tensor/", import.meta.url));

function sources(extension: string): { name: string; text: string }[] {
  return filesUnder(TENSOR, (name) => name.endsWith(extension))
    .map((path) => ({ name: basename(path), text: Deno.readTextFileSync(path) }));
}

const device = new PlanningDevice(() => {});
await runEveryKernel(device);
const seen = [...device.seen.values()];

Deno.test("every kernel is run", () => {
  const names = new Set(seen.map(({ name }) => name));
  let found = 0;
  const missing = [];
  for (const { text } of sources(".ts")) {
    for (const [kernel, name] of text.matchAll(/defineKernel\(\{\s*name: "(.+?)"[^]*?\n\}\);/g)) {
      found++;
      if (!kernel.includes("webgpu: CPU_ONLY") && !names.has(name)) missing.push(name);
    }
  }
  assertEquals(missing, []);
  assert(found > 30, `found ${found} kernels`);
});

Deno.test("every WGSL file is in a text that is run", () => {
  const files = sources(".wgsl");
  const missing = files.filter(({ text }) => {
    // Lines with "$" are templates.
    const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.includes("$"));
    return !seen.some(({ code }) => {
      const present = new Set(code.split("\n"));
      return lines.every((line) => present.has(line));
    });
  });
  assertEquals(missing.map(({ name }) => name), []);
});

Deno.test("every module that writes WGSL is known here", () => {
  // runEveryKernel() must cover all forms that these write.
  const known = [
    "matmul/tilings.ts: every tiling, each matrix in fours or not, with and without sums",
    "elementwise/kernel.ts, strided_copy.ts: every number of dimensions that is usual",
    "reductions/kernel.ts: every reduction",
  ];
  const modules = (sources(".ts")).filter(({ text }) => text.includes("@compute"));
  const names = modules.map(({ name }) => name).sort();
  assertEquals(
    names,
    ["kernel.ts", "kernel.ts", "strided_copy.ts", "tilings.ts"],
    known.join("\n"),
  );
});

Deno.test("every form of every tiling is run", () => {
  const codes = new Set(seen.map(({ code }) => code));
  const missing = [];
  for (const tiling of TILINGS.values()) {
    for (const sums of [undefined, "rows", "columns"] satisfies (ProductSums | undefined)[]) {
      for (const vectorA of [false, true]) {
        for (const vectorB of [false, true]) {
          // With sums a is transposed: four elements of a row are not adjacent.
          if (sums && vectorA) continue;
          for (const isSplit of sums ? [false] : [false, true]) {
            const form = { sums, isSplit, vectorA, vectorB };
            if (!codes.has(tilingSource(tiling, form))) missing.push([tiling.name, form]);
          }
        }
      }
    }
  }
  assertEquals(missing, []);
});
