/**
 * `deno task bench`: how fast, beside PyTorch and jax-js in the same run, and whether what was promised holds.
 *
 *     deno task bench --only step,answers --rounds 3 --write
 *
 * `TUNEBOOK_PYTHON` names a Python with PyTorch and transformers, `TUNEBOOK_SMOLLM2_GGUF` the file of
 * SmolLM2-135M-Instruct, `TUNEBOOK_TEST_DATA` a folder with instruction data. Cases whose needs are not met are left
 * out, and said so. Results are printed, and with `--write` put into README.md's tables. Where a bar is missed, or programs
 * came to different results, the exit status is 1.
 */

import { fromFileUrl } from "@std/path";
import { Command, InvalidArgumentError } from "commander";
import { findPython } from "../support.ts";
import { type CaseOptions, CASES } from "./cases.ts";
import { describeMachine, processorTime, takeOwnBlasSettings } from "./machine.ts";
import { runCase } from "./run_case.ts";
import { formatTables, replaceTable } from "./table.ts";
import type { Size } from "./weights.ts";

const SIZES: readonly Size[] = ["tiny", "small", "medium"];
const DEVICES = ["cpu", "webgpu"] as const;

function oneOf<T extends string>(values: readonly T[], what: string): (text: string) => T {
  return (text) => {
    if (values.includes(text as T)) return text as T;
    throw new InvalidArgumentError(`Unknown ${what} "${text}": expected ${values.join(", ")}`);
  };
}

if (import.meta.main) {
  const names = Object.keys(CASES);
  const program = new Command("bench")
    .description(
      "Measure speed and memory beside PyTorch and jax-js, by turns in one run; " +
        "ends with status 1 where a bar is missed or results differ",
    )
    .option("--only <names>", `which, of ${names.join(", ")}`, names.join(","))
    .option("--size <size>", `the GPT-2: ${SIZES.join(", ")}`, oneOf(SIZES, "size"), "medium")
    .option(
      "--device <device>",
      `where training and answering run: ${DEVICES.join(", ")}`,
      oneOf(DEVICES, "device"),
      "cpu",
    )
    .option(
      "--rounds <n>",
      "how often each program runs; the case's own number if not given",
      Number,
    )
    .option("--write", "put the tables into tests/bench/README.md")
    .parse(["deno", "bench", ...Deno.args]);
  const options = program.opts();
  const wanted: string[] = options.only.split(",").map(oneOf(names, "case"));
  const found = findPython("torch", "transformers");
  if (!found.found) console.log(`Without PyTorch:${found.needs}`);
  const caseOptions: CaseOptions = {
    device: options.device,
    size: options.size,
    python: found.found ? found.path : undefined,
    smolLm2: Deno.env.get("TUNEBOOK_SMOLLM2_GGUF"),
    gemma3: Deno.env.get("TUNEBOOK_GEMMA3_GGUF"),
  };

  const removed = takeOwnBlasSettings();
  const before = await processorTime();
  const bars: string[] = [], programs: string[] = [], missed: string[] = [];
  const about = new Set<string>();
  for (const name of wanted) {
    const one = await CASES[name](caseOptions);
    if (!one) {
      console.log(`\nLeft out: "${name}", which needs what this machine does not have`);
      continue;
    }
    const result = await runCase(one, options.rounds);
    for (const contestant of result.measured) about.add(`${contestant.name}: ${contestant.about}`);
    bars.push(...result.bars);
    programs.push(...result.programs);
    missed.push(...result.missed);
  }
  const tables = formatTables(bars, programs, await describeMachine(about, before, removed));
  console.log(`\n${tables}`);
  if (options.write) {
    const readme = fromFileUrl(import.meta.resolve("./README.md"));
    await Deno.writeTextFile(readme, replaceTable(await Deno.readTextFile(readme), tables));
  }
  for (const what of missed) console.error(`Missed: ${what}`);
  Deno.exit(missed.length > 0 ? 1 : 0);
}
