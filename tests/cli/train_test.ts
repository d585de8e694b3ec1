import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { openSafetensors } from "../../lib/weights/mod.ts";
import { entries, tunebook, Workshop } from "./tunebook.ts";

const LINE = [
  "step",
  "learningRate",
  "seconds",
  "loss",
  "tokensComputed",
  "tokensCounted",
  "gradientNorm",
];

/** A saved model: weights, tokenizer, and what it was taught. */
const MODEL = [
  ...["README.md", "chat_template.jinja", "config.json", "model.safetensors", "taught.json"],
  ...["tokenizer.json", "tokenizer_config.json"],
];

const listed = async (path: string) =>
  (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort();

Deno.test("tunebook train trains, logs, evaluates, saves, and says so", async () => {
  await using workshop = await Workshop.open();
  const args = workshop.training("--out", workshop.file("out"), "--batch-size", "4");
  const { code, stdout, stderr } = await tunebook([
    ...args,
    ...["--lr", "1e-3", "--eval-every", "2", "--eval-iters", "1"],
  ]);
  assertEquals([code, stdout], [0, ""], stderr);
  assertEquals(
    await listed(workshop.file("out")),
    [
      ...[...MODEL, "steps.jsonl", "test.json"],
      "training.json",
    ].sort(),
  );
  const steps = await workshop.steps("out", "steps.jsonl");
  assertEquals(steps.map(({ step }) => step), [1, 2, 3, 4, 5]); // 20 of 24 entries train
  for (const [i, line] of steps.entries()) {
    const names = i % 2 === 1 || i === 4 ? [...LINE, "evaluation", "epoch"] : [...LINE, "epoch"];
    assertEquals(Object.keys(line), names);
    assert(line.loss > 0 && line.seconds > 0 && line.gradientNorm > 0);
    assertEquals(line.learningRate, 1e-3);
    assert(line.tokensComputed > line.tokensCounted && line.tokensCounted > 0);
  }
  assert(steps[4].loss < steps[0].loss);
  assertEquals(JSON.parse(await Deno.readTextFile(workshop.file("out", "test.json"))).length, 2);

  using file = await openSafetensors(workshop.file("out"));
  using before = await openSafetensors(workshop.file("model"));
  assertEquals([...file.tensors.keys()], [...before.tensors.keys()]);
  const name = "transformer.wpe.weight";
  assertNotEquals(await file.read(name), await before.read(name));

  // Not a terminal: plain lines, each whole.
  assertEquals(stderr.includes("\r") || stderr.includes("\x1b"), false);
  const lines = stderr.trimEnd().split("\n");
  assert(lines.some((line) => /^20 examples, 5 steps, CPU, 2 threads, /.test(line)), stderr);
  const last = lines.find((line) => line.startsWith("Training 5/5 "))!;
  assert(
    /^Training 5\/5 loss \d+\.\d{3}, training part \d+\.\d{3}, validation \d+\.\d{3}, lr 1e-3$/
      .test(last),
    last,
  );
  // Every evaluation has its line.
  for (const step of [2, 4]) {
    assert(lines.some((line) => line.startsWith(`Training ${step}/5 `) && /validation/.test(line)));
  }
  assertStringIncludes(stderr, "Sample after epoch 1:\n  Repeat the word.\n");
  assertStringIncludes(lines.at(-1)!, `Saved "${workshop.file("out")}": 5 steps in `);
});

Deno.test("tunebook train --json prints one document and nothing else", async () => {
  await using workshop = await Workshop.open();
  // all of it trains: no evaluation; the log is kept elsewhere
  const log = workshop.file("logs", "mine.jsonl");
  const args = [
    ...workshop.training("--out", workshop.file("out"), "--batch-size", "8", "--steps", "2"),
    ...["--split", "1,0,0", "--log", log, "--json"],
  ];
  const { code, stdout, stderr } = await tunebook(args);
  assertEquals(code, 0, stderr);
  const { seconds, sha256, device, loss, ...rest } = JSON.parse(stdout);
  const steps = await workshop.steps("logs", "mine.jsonl");
  assertEquals(rest, {
    out: workshop.file("out"),
    format: "alpaca",
    steps: 2,
    evaluation: null,
    tokensComputed: steps[0].tokensComputed + steps[1].tokensComputed,
    tokensCounted: steps[0].tokensCounted + steps[1].tokensCounted,
  });
  assertEquals([loss, seconds], [steps[1].loss, steps[0].seconds + steps[1].seconds]);
  assert(/^[0-9a-f]{64}$/.test(sha256) && device.startsWith("CPU, 2 threads"));
  assertEquals(await listed(workshop.file("out")), [...MODEL, "training.json"].sort());
  assertStringIncludes(stderr, "24 examples, 2 steps");

  // --resume of what is done does nothing, and says the same
  const again = await tunebook([...args, "--resume"]);
  assertEquals([again.code, again.stdout], [0, stdout]);
  assertStringIncludes(again.stderr, "Nothing to do");
});

Deno.test("tunebook train derives a name where --out is a folder of several", async () => {
  await using workshop = await Workshop.open();
  // The name of the size comes from the model's: here a tiny one in a folder called gpt2-medium.
  await Deno.rename(workshop.file("model"), workshop.file("gpt2-medium"));
  const rest = ["--data", workshop.file("data.json"), "--steps", "1", "--eval-every", "0"];
  await Deno.mkdir(workshop.file("models"));
  for (const out of [workshop.file("models"), `${workshop.file("new")}/`]) {
    const args = ["train", "--model", workshop.file("gpt2-medium"), ...rest, "--out", out];
    const { code, stderr } = await tunebook(args);
    assertEquals(code, 0, stderr);
    assertEquals(await listed(out), ["gpt2-medium355M-sft"]);
    // once more: the folder is still one of several, and the model in it is replaced
    if (out.endsWith("/")) continue;
    assertEquals((await tunebook(args)).code, 0);
    assertEquals(await listed(out), ["gpt2-medium355M-sft"]);
  }
});

Deno.test("tunebook train --order takes batches from a file", async () => {
  await using workshop = await Workshop.open();
  const order = await workshop.write("order.json", [[0, 1, 2], [3], [4, 4]]);
  const train = (name: string, ...more: string[]) =>
    tunebook([...workshop.training("--out", workshop.file(name), "--eval-every", "0"), ...more]);
  const [listedOrder, bad, missing, empty] = await Promise.all([
    train("a", "--order", order),
    train("b", "--order", await workshop.write("bad.json", [[0], [20]])),
    train("c", "--order", workshop.file("nowhere.json")),
    train("d", "--order", order, "--mask", "prompt", "--max-length", "20"),
  ]);
  assertEquals(listedOrder.code, 0, listedOrder.stderr);
  const steps = await workshop.steps("a", "steps.jsonl");
  assertEquals(steps.map(({ step }) => step), [1, 2, 3]);
  assertEquals(bad, {
    code: 1,
    stdout: "",
    stderr: `error: Cannot use the order "${workshop.file("bad.json")}": batch 2 of 2 has 20, ` +
      "and examples are 0 to 19\n",
  });
  assertEquals(
    [missing.code, missing.stderr],
    [1, `error: Cannot read "${workshop.file("nowhere.json")}": there is no such file\n`],
  );
  assertEquals(empty.code, 1);
  assertStringIncludes(
    empty.stderr,
    "with at most 20 tokens per sequence, no token of them counts\n",
  );
});

Deno.test("tunebook train tells what is wrong in one sentence, and writes nothing", async () => {
  await using workshop = await Workshop.open();
  const data = await workshop.write("bad.json", [{ instruction: "A", output: { text: "B" } }]);
  const file = await workshop.write("file", {});
  const name = workshop.file("model");
  // Each has a folder of its own: where two trainings share one, the second is refused.
  const outs = [0, 1, 2].map((i) => workshop.file(`out${i}`));
  const wrong: [string[], string][] = [
    [
      ["--model", workshop.file("nowhere"), "--data", workshop.file("data.json"), "--out", outs[0]],
      "there is no directory",
    ],
    [
      ["--model", name, "--data", data, "--out", outs[1]],
      'entry 1 of 1: "output" must be a string, got an object',
    ],
    [["--model", name, "--data", workshop.file("data.json"), "--out", file], "it is not a folder"],
    [
      [
        "--model",
        name,
        "--data",
        workshop.file("data.json"),
        "--out",
        outs[2],
        "--split",
        "0,0.5,0.5",
      ],
      "nothing is left to train on",
    ],
  ];
  const results = await Promise.all(wrong.map(([args]) => tunebook(["train", ...args])));
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, wrong[i][1]);
    const errors = stderr.split("\n").filter((line) => line.startsWith("error: "));
    assertEquals(errors.length, 1, stderr);
    assertEquals(stderr.includes("    at "), false, stderr); // no stack
  }
  for (const out of outs) assertEquals(await Deno.stat(out).catch(() => "absent"), "absent");
});

Deno.test("tunebook train --type stores what was learnt in 16 bits", async () => {
  await using workshop = await Workshop.open();
  const quick = ["--batch-size", "4", "--steps", "1", "--eval-every", "0"];
  const runs = await Promise.all([
    ["--out", workshop.file("wide")],
    ["--out", workshop.file("narrow"), "--type", "bf16"],
    ["--out", workshop.file("adapter"), "--type", "f16", "--lora-rank", "2"],
  ].map((args) => tunebook(workshop.training(...args, ...quick))));
  for (const { code, stderr } of runs) assertEquals(code, 0, stderr);

  using wide = await openSafetensors(workshop.file("wide"));
  using narrow = await openSafetensors(workshop.file("narrow"));
  for (const name of wide.tensors.keys()) {
    assertEquals(narrow.info(name).dtype, "BF16");
    const [whole, rounded] = [await wide.read(name), await narrow.read(name)];
    assert(whole.every((value, i) => Math.abs(value - rounded[i]) <= Math.abs(value) / 256), name);
  }
  const config = JSON.parse(await Deno.readTextFile(workshop.file("narrow", "config.json")));
  assertEquals(config.torch_dtype, "bfloat16");
  using adapter = await openSafetensors(workshop.file("adapter", "adapter_model.safetensors"));
  assertEquals(new Set([...adapter.tensors.values()].map(({ dtype }) => dtype)), new Set(["F16"]));

  // Both are models that answer and can be trained further.
  const again = await Promise.all(
    ["narrow", "adapter"].map((model) =>
      tunebook(["loss", "--model", workshop.file(model), "--data", workshop.file("data.json")])
    ),
  );
  for (const { code, stderr } of again) assertEquals(code, 0, stderr);
});

Deno.test("tunebook train replaces its own output, and another's only where that is asked for", async () => {
  await using workshop = await Workshop.open();
  const out = workshop.file("out");
  const rest = ["--out", out, "--steps", "1", "--eval-every", "0"];
  const own = workshop.training(...rest);
  assertEquals((await tunebook(own)).code, 0);
  assertEquals((await tunebook([...own, "--lr", "1e-4"])).code, 0, "the same model and data");
  const data = await workshop.write("other.json", entries(20));
  const other = ["train", "--model", workshop.file("model"), "--data", data, ...rest];
  const refused = await tunebook(other);
  assertEquals(refused.code, 1);
  assertEquals(
    refused.stderr,
    `error: Cannot save to "${out}": it holds what the command "tunebook train --model ${
      workshop.file("model")
    } --data ${workshop.file("data.json")}" made; give another --out, or --overwrite\n`,
  );
  assertEquals((await tunebook([...other, "--overwrite"])).code, 0);
  await Deno.remove(workshop.file("out", "taught.json"));
  const unknown = await tunebook(other);
  assertStringIncludes(unknown.stderr, 'it holds a model without a "taught.json"');
});
