/**
 * `deno task bench`: how fast, beside PyTorch in the same run.
 *
 *     deno task bench --cases gemm,step,generate --size medium --rounds 5 --write
 *
 * `TUNEBOOK_PYTHON` names a Python with PyTorch and transformers; without it only this library is
 * measured, on weights that must then be there. Results are printed, and with `--write` put into README.md's table.
 */

import { Command, InvalidArgumentError } from "commander";
import { fromFileUrl } from "@std/path";
import { findPython } from "../support.ts";
import { type CaseName, makeCases, type Size } from "./cases.ts";
import { measure } from "./harness.ts";
import { formatTable, replaceTable, rowsOf } from "./table.ts";
import { randomWeights } from "./weights.ts";

const CASES: readonly CaseName[] = ["gemm", "step", "generate"];
const SIZES: readonly Size[] = ["tiny", "small", "medium"];

function oneOf<T extends string>(values: readonly T[], what: string): (text: string) => T {
  return (text) => {
    if (values.includes(text as T)) return text as T;
    throw new InvalidArgumentError(`Unknown ${what} "${text}": expected ${values.join(", ")}`);
  };
}

/** A sentence on this machine and the programs. */
async function describeMachine(about: Iterable<string>): Promise<string> {
  let processor: string = Deno.build.arch;
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    processor = text.match(/^model name\s*: (.*)$/m)?.[1] ?? processor;
  } catch {
    // not Linux: the architecture has to do
  }
  const day = new Date().toISOString().slice(0, 10);
  const cores = navigator.hardwareConcurrency;
  const programs = [...about].join("; ");
  return `Measured ${day} on ${cores} cores of ${processor}, Deno ${Deno.version.deno}. ${programs}.`;
}

if (import.meta.main) {
  const program = new Command("bench")
    .description("Measure speed and memory beside PyTorch, by turns in one run")
    .option("--cases <names>", `which, of ${CASES.join(", ")}`, CASES.join(","))
    .option("--size <size>", `the model: ${SIZES.join(", ")}`, oneOf(SIZES, "size"), "medium")
    .option(
      "--rounds <n>",
      "how often each program runs; the case's own number if not given",
      Number,
    )
    .option("--write", "put the table into tests/bench/README.md")
    .parse(["deno", "bench", ...Deno.args]);
  const options = program.opts();
  const names: CaseName[] = options.cases.split(",").map(oneOf(CASES, "case"));
  const found = findPython("torch", "transformers");
  if (!found.found) console.log(`Without PyTorch:${found.needs}`);
  const python = found.found ? found.path : undefined;
  const model = names.some((name) => name !== "gemm")
    ? await randomWeights(options.size, python)
    : "";

  const rows: string[] = [];
  const about = new Set<string>();
  for (const one of await makeCases(names, { size: options.size, model, python })) {
    console.log(`\n${one.title}`);
    const measured = await measure(one.contestants, one.prepare, {
      rounds: options.rounds ?? one.rounds,
      onRun: (name, round, { seconds }) =>
        console.log(`  ${round + 1}: ${name}, ${seconds.toFixed(4)} s`),
    });
    for (const contestant of measured) about.add(`${contestant.name}: ${contestant.about}`);
    rows.push(...rowsOf(one, measured));
  }
  const table = formatTable(rows, await describeMachine(about));
  console.log(`\n${table}`);
  if (options.write) {
    const readme = fromFileUrl(import.meta.resolve("./README.md"));
    await Deno.writeTextFile(readme, replaceTable(await Deno.readTextFile(readme), table));
  }
}
