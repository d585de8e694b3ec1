// Options of tunebook train that decide how steps are taken and when they end.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Command } from "commander";
import { answersOptions, toSftOptions, trainingOptions } from "../../lib/cli/training_options.ts";
import { openSafetensors } from "../../lib/weights/mod.ts";
import { assertClose } from "../support.ts";
import { entries, tunebook, Workshop } from "./tunebook.ts";

Deno.test("tunebook train follows a schedule, accumulates, clips, recomputes, and writes events", async () => {
  await using workshop = await Workshop.open();
  const [big, parts] = await Promise.all([
    ["big", "--batch-size", "8"],
    ["parts", "--batch-size", "4", "--accumulate", "2", "--recompute"],
  ].map(([out, ...args]) =>
    tunebook([
      ...workshop.training("--out", workshop.file(out), ...args, "--epochs", "2", "--lr", "1e-3"),
      ...["--schedule", "cosine", "--warmup", "0.25", "--min-lr", "1e-4"],
      ...[
        "--drop-last",
        "--max-gradient-norm",
        "0.5",
        "--tensorboard",
        workshop.file(`${out}-events`),
      ],
    ])
  ));
  for (const { code, stderr } of [big, parts]) {
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "Note: 4 of 20 examples are left out of each epoch, because they");
  }
  const steps = await workshop.steps("parts", "steps.jsonl");
  const expected = await workshop.steps("big", "steps.jsonl");
  assertEquals(steps.length, 4); // 20 of 24 entries train: two steps of eight, twice
  // One step of warm-up, then from the highest rate down to the lowest.
  const rates = [0, 1e-3, 0.5 * (1e-3 + 1e-4) + 0.5 * 9e-4 * Math.cos(Math.PI / 3)];
  rates.push(0.5 * (1e-3 + 1e-4) + 0.5 * 9e-4 * Math.cos(2 * Math.PI / 3));
  assertClose(steps.map(({ learningRate }) => learningRate), rates, { relative: 1e-9 });
  for (const name of ["loss", "gradientNorm"] as const) {
    const [a, b] = [steps, expected].map((lines) => lines.map((line) => line[name]));
    assertClose(a, b, { relative: 1e-4 }, name);
  }
  const events = Array.from(Deno.readDirSync(workshop.file("parts-events")), ({ name }) => name);
  assertEquals(events.length, 1);
  assert(events[0].startsWith("events.out.tfevents."), events[0]);
});

Deno.test("tunebook train ends early and saves the best weights", async () => {
  await using workshop = await Workshop.open();
  const { code, stdout, stderr } = await tunebook([
    ...workshop.training("--out", workshop.file("out"), "--batch-size", "4", "--epochs", "30"),
    ...["--lr", "0.2", "--eval-every", "1", "--eval-iters", "all", "--early-stopping", "2"],
    // The last two entries are the validation part.
    ...["--dropout", "0.1", "--split-order", "given", "--json"],
  ]);
  assertEquals(code, 0, stderr);
  const { best, steps, evaluation } = JSON.parse(stdout);
  const lines = await workshop.steps("out", "steps.jsonl");
  assertEquals([lines.length, best.step], [steps, steps - 2]);
  const losses = lines.map((line) => evaluationOf(line).validationLoss);
  assertEquals([best.validationLoss, evaluation.validationLoss], [
    Math.min(...losses),
    losses.at(-1),
  ]);
  assertStringIncludes(stderr, `Ended after step ${steps} of 150: `);
  assertStringIncludes(stderr, `The weights are those of step ${best.step}, validation `);

  // They are: measured again, the loss is the best.
  const data = await workshop.write("validation.json", entries(24).slice(-2));
  const measured = await tunebook([
    "loss",
    "--model",
    workshop.file("out"),
    "--data",
    data,
    "--json",
  ]);
  assertEquals(measured.code, 0, measured.stderr);
  assertClose([JSON.parse(measured.stdout).loss], [best.validationLoss], { relative: 1e-6 });

  const refused = await tunebook([
    ...workshop.training("--out", workshop.file("other"), "--split", "1,0,0"),
    ...["--early-stopping", "1"],
  ]);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, 'Cannot train with "earlyStopping" without validation');
});

Deno.test("options that need another option name it as the command line does", () => {
  const parse = (...given: string[]) => {
    const command = new Command();
    for (const option of [...trainingOptions(), ...answersOptions()]) command.addOption(option);
    return toSftOptions(command.parse(given, { from: "user" }).opts());
  };
  const stop = ["--early-stopping", "2", "--stop-metric"];
  const refused: [string[], string][] = [
    [["--stop-metric", "bleu"], "Cannot follow --stop-metric: it needs --early-stopping"],
    [
      [...stop, "bleu", "--answer-every", "5", "--answer-metrics", "rougeL"],
      'Cannot stop early by --stop-metric "bleu": it needs --answer-metrics bleu',
    ],
    [["--answer-metrics", "bleu"], "--answer-metrics: they need --answer-every"],
  ];
  for (const [given, message] of refused) assertThrows(() => parse(...given), TypeError, message);
  const scored = ["--answer-every", "5", "--answer-metrics", "rougeL,bleu"];
  assertEquals(parse(...stop, "bleu", ...scored).earlyStopping?.metric, "bleu");
});

Deno.test("tunebook train --freeze changes nothing of what it names", async () => {
  await using workshop = await Workshop.open();
  const out = workshop.file("out");
  const trained = await tunebook([
    ...workshop.training("--out", out, "--steps", "2", "--freeze", "wte,first:1"),
  ]);
  assertEquals(trained.code, 0, trained.stderr);
  assertStringIncludes(trained.stderr, "Frozen: 0.0 of 0.8 million weights are trained");
  const [before, after] = [workshop.file("model"), out].map((folder) =>
    openSafetensors(`${folder}/model.safetensors`)
  );
  using old = await before;
  using learnt = await after;
  for (const [name] of old.tensors) {
    const same = String(await old.read(name)) === String(await learnt.read(name));
    assertEquals(same, /(^|\.)(wte|h\.0)\./.test(name), name);
  }
  const both = workshop.training(
    "--out",
    workshop.file("no"),
    "--freeze",
    "wte",
    "--lora-rank",
    "2",
  );
  const refused = await tunebook(both);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "error: Cannot freeze weights beside adapters: ");
});

function evaluationOf(line: Record<string, unknown>): { validationLoss: number } {
  return line.evaluation as { validationLoss: number };
}
