// `tunebook train --method dpo`: the steps and weights of the library's dpo(), and which options fit.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  encodePreferences,
  type PreferenceEntry,
  readPreferences,
  splitEntries,
} from "../../lib/dataset/mod.ts";
import { loadModel } from "../../lib/pipeline/mod.ts";
import { dpo, type DpoStep } from "../../lib/train/mod.ts";
import { openSafetensors } from "../../lib/weights/mod.ts";
import { runHere } from "./in_process.ts";
import { entries, tunebook, Workshop } from "./tunebook.ts";

/** As many threads as this process computes with, since they decide the last bits. */
const THREADS = Deno.env.get("TUNEBOOK_THREADS") ?? String(navigator.hardwareConcurrency);

/** Pairs of a right answer and the same twice. */
const pairs: PreferenceEntry[] = entries(24).map(({ instruction, input, output }) => ({
  prompt: `${instruction} ${input}`.trim(),
  chosen: output,
  rejected: `${output}, ${output}`,
}));

Deno.test("tunebook train --method dpo takes the steps of dpo(), to the same weights, and says so", async () => {
  await using workshop = await Workshop.open();
  const data = await workshop.write("pairs.json", pairs);
  const [model, out] = [workshop.file("model"), workshop.file("out")];
  const { code, stdout, stderr } = await tunebook([
    ...["train", "--method", "dpo", "--model", model, "--data", data, "--out", out],
    ...["--lr", "1e-3", "--beta", "0.2", "--loss", "robust", "--label-smoothing", "0.1"],
    ...["--batch-size", "4", "--eval-every", "2", "--eval-iters", "all", "--json"],
  ], { TUNEBOOK_THREADS: THREADS });
  assertEquals(code, 0, stderr);

  const same = await loadModel(model, { device: "cpu" });
  const { train, validation, test } = splitEntries((await readPreferences(data)).entries);
  const encode = (part: PreferenceEntry[]) => encodePreferences(part, same.tokenizer);
  const training = dpo(same.network, {
    ...{ pairs: encode(train), validation: encode(validation), learningRate: 1e-3, beta: 0.2 },
    ...{ loss: "robust", labelSmoothing: 0.1, batchSize: 4, evalEvery: 2, evalIters: "all" },
  });
  const last = (await training.finish())!;
  const steps = await workshop.steps("out", "steps.jsonl") as unknown as DpoStep[];
  const without = ({ seconds: _, totalSteps: __, ...step }: DpoStep) => step;
  assertEquals(steps.map(without), training.history.map(without));
  using saved = await openSafetensors(out);
  for (const [name, learnt] of same.network.parameters) {
    assertEquals(await saved.read(`transformer.${name}`), await learnt.data(), name);
  }

  const read = async (name: string) =>
    JSON.parse(await Deno.readTextFile(workshop.file("out", name)));
  const summary = await read("training.json");
  assertEquals(JSON.parse(stdout), summary);
  assertEquals([summary.method, summary.steps, summary.loss], ["dpo", steps.length, last.loss]);
  assertEquals(await read("test.json"), test);
  const { trainings: [taught] } = await read("taught.json");
  const { method, beta, loss, labelSmoothing, weightDecay, maxGradientNorm } = taught.settings;
  assertEquals([method, beta, loss, labelSmoothing], ["dpo", 0.2, "robust", 0.1]);
  assertEquals([weightDecay, maxGradientNorm, taught.examples], [0, 1, train.length]);
  assertEquals(taught.evaluation, last.evaluation);
  // What is read back has the pairs' measurements too.
  using again = await loadModel(out, { device: "cpu" });
  assertEquals(again.taught.trainings[0].evaluation, last.evaluation);
  assertStringIncludes(await Deno.readTextFile(workshop.file("out", "README.md")), "  - dpo\n");

  assertStringIncludes(
    stderr,
    "Defaults for DPO: --weight-decay 0, --max-gradient-norm 1; the ref",
  );
  assertStringIncludes(stderr, `${train.length} pairs, ${steps.length} steps, CPU`);
  const measured = train.length + validation.length;
  assertStringIncludes(stderr, `Measuring the reference on ${measured} pairs, before the first`);
  assertMatch(stderr, /Training 5\/5 loss [\d.]+, margin [\d.]+, accuracy [\d.]+, training part /);
  assertMatch(stderr, /validation [\d.]+ \(accuracy [\d.]+\)\n$/);
  assert(last.margin > 0);
  same.device.close();
  again.device.close();
});

Deno.test("tunebook plan --method dpo counts the steps and tokens that the training then has", async () => {
  await using workshop = await Workshop.open();
  const data = await workshop.write("pairs.json", pairs);
  const options = [
    ...["--method", "dpo", "--model", workshop.file("model"), "--data", data],
    ...["--batch-size", "4", "--accumulate", "2", "--eval-every", "2", "--json"],
  ];
  const planned = await tunebook(["plan", ...options]);
  assertEquals(planned.code, 0, planned.stderr);
  const plan = JSON.parse(planned.stdout);
  const trained = await tunebook(["train", ...options, "--out", workshop.file("out")]);
  assertEquals(trained.code, 0, trained.stderr);
  const { steps, tokensComputed, tokensCounted } = JSON.parse(trained.stdout);
  assertEquals(
    [plan.totalSteps, plan.tokensComputed, plan.tokensCounted],
    [steps, tokensComputed, tokensCounted],
  );
  assertMatch(trained.stderr, new RegExp(`${plan.examples} pairs, ${plan.totalSteps} steps`));
  assert(plan.referenceSeconds > 0 && plan.evaluationSeconds > 0);
  assertAlmostEquals(
    plan.seconds,
    plan.referenceSeconds + plan.totalSteps * plan.secondsPerStep + plan.evaluationSeconds,
    1e-9,
  );
  const text = await tunebook(["plan", ...options.filter((option) => option !== "--json")]);
  assertMatch(text.stdout, /Data {8}20 pairs, /);
  assertMatch(text.stdout, /s per step, the reference .*, evaluations /);
});

Deno.test("tunebook train: options that do not fit the method are refused by name, before anything is read", async () => {
  const wrong: [args: string, message: string][] = [
    ["--method dpo --mask none", "with --mask and --method dpo: only the answers of a pair count"],
    ["--method dpo --dropout 0.1", "with --dropout and --method dpo: it trains without dropout"],
    ["--method dpo --lora-rank 2 --lora-dropout 0.1", "with --lora-dropout and --method dpo: "],
    ["--method dpo --answer-every 2", "with --answer-every and --method dpo: pairs are evaluated"],
    ["--method dpo --stop-metric bleu", "with --stop-metric and --method dpo: --early-stopping"],
    ...["--beta 0.2", "--loss ipo", "--label-smoothing 0.1", "--reference base"].map((
      args,
    ): [string, string] => [args, `with ${args.split(" ")[0]}: it needs --method dpo`]),
  ];
  for (const [args, message] of wrong) {
    const data = ["--model", "nowhere", "--data", "nothing.json", "--out", "none"];
    const { code, stderr } = await runHere(["train", ...args.split(" "), ...data]);
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, `error: Cannot train ${message}`);
  }
});

Deno.test("tunebook train: data of the other method are refused, and the message says which reads them", async () => {
  await using workshop = await Workshop.open();
  const data = await workshop.write("pairs.json", pairs);
  const args = ["train", "--model", workshop.file("model"), "--out", workshop.file("out")];
  const sft = await runHere([...args, "--data", data]);
  const dpo = await runHere([...args, "--method", "dpo", "--data", workshop.file("data.json")]);
  assertEquals([sft.code, dpo.code], [1, 1]);
  assertStringIncludes(sft.stderr, '"tunebook train --method dpo"');
  assertStringIncludes(dpo.stderr, '"prompt", "chosen" and "rejected"');
});
