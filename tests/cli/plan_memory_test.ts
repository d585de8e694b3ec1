// `tunebook plan` beside trainings that really run: the memory that their processes had at most.

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { InstructionEntry, PreferenceEntry } from "../../lib/dataset/mod.ts";
import { gemma3, smollm2 } from "../ollama.ts";
import type { Found } from "../support.ts";
import { entries, tunebook, Workshop } from "./tunebook.ts";

const MIB = 2 ** 20;

/** Ways to train, each of which takes memory for another reason. */
const ways: Record<string, string[]> = {
  "pairs": ["--steps", "3", "--method", "dpo"],
  "merged adapters of packed weights":
    "--steps 3 --lora-rank 8 --quantize nf4 --merge --batch-size 2 --accumulate 2".split(" "),
  "all weights": ["--steps", "3"],
  "NF4 and adapters": ["--steps", "3", "--lora-rank", "8", "--quantize", "nf4"],
  "stored types and adapters": ["--steps", "3", "--lora-rank", "8", "--quantize", "stored"],
  "frozen blocks, the best weights kept, answers":
    "--steps 4 --freeze first:2 --recompute --early-stopping 3 --stop-metric rougeL --answer-every 2 --answer-metrics rougeL"
      .split(" "),
};

for (const [name, way] of Object.entries(ways)) {
  Deno.test({
    name: `tunebook plan predicts at least the memory of a training, and little more: ${name}`,
    ignore: Deno.build.os !== "linux", // others do not say what a process had at most
    fn: () => assertPlanned("nano", way),
  });
}

/** Models of other shapes: a step of each is larger than what the process has besides. */
const models: { name: string; file: Found; way: string[] }[] = [
  {
    name: "SmolLM2, NF4 and adapters",
    file: smollm2,
    way: ["--steps", "2", "--lora-rank", "8", "--quantize", "nf4"],
  },
  {
    name: "Gemma 3 and adapters",
    file: gemma3,
    way: ["--steps", "2", "--lora-rank", "8"],
  },
];

for (const { name, file, way } of models) {
  Deno.test({
    name:
      `tunebook plan predicts at least the memory of a training, and little more: ${name}${file.needs}`,
    ignore: !file.found || Deno.build.os !== "linux",
    fn: () => assertPlanned(file.path, way),
  });
}

/** Asserts that a training takes as much memory as is planned, or at most a tenth or 200 MiB less. */
async function assertPlanned(model: string, way: readonly string[]): Promise<void> {
  await using workshop = await Workshop.open();
  const many = entries(240);
  await workshop.write("many.json", way.includes("dpo") ? many.map(asPair) : many);
  const options = ["--model", model, "--data", workshop.file("many.json"), ...way];
  const plan = await tunebook(["plan", ...options, "--json"]);
  assertEquals(plan.code, 0, plan.stderr);
  const { memoryBytes, deviceBytes } = JSON.parse(plan.stdout);
  const taken = await peakOf(["train", ...options, "--out", workshop.file("out")]);
  const say = `predicted ${(memoryBytes / MIB).toFixed(0)} MiB, ${
    (deviceBytes / MIB).toFixed(0)
  } of it tensors; taken ${(taken / MIB).toFixed(0)}`;
  assert(memoryBytes >= taken, say);
  assert(memoryBytes <= Math.max(1.1 * taken, taken + 200 * MIB), say);
}

/** An entry with a worse answer beside its own. */
function asPair({ instruction, input, output }: InstructionEntry): PreferenceEntry {
  return {
    prompt: `${instruction} ${input}`.trim(),
    chosen: output,
    rejected: `${output}, ${output}`,
  };
}

/** The most memory that a command's process had. */
async function peakOf(args: string[]): Promise<number> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", fromFileUrl(import.meta.resolve("./peak.ts")), ...args],
    env: { NO_COLOR: "1", TUNEBOOK_DEVICE: "cpu", TUNEBOOK_THREADS: "2" },
    stdin: "null",
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return Number(new TextDecoder().decode(stdout).trim().split("\n").at(-1));
}
