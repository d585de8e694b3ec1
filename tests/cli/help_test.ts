import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { tunebook } from "./tunebook.ts";

/** What each command must offer, and that its help must name. */
const COMMANDS: Record<string, string[]> = {
  train: [
    ..."model data out epochs batch-size lr weight-decay seed mask eval-every eval-iters".split(
      " ",
    ),
    ..."max-length steps split order device resume log json checkpoint-every".split(" "),
    ..."map ignore keep drop-last schedule warmup min-lr accumulate max-gradient-norm early-stopping"
      .split(
        " ",
      ),
    ..."min-improvement restore-best recompute dropout tensorboard freeze".split(" "),
    ..."method beta loss label-smoothing reference".split(" "),
  ],
  generate: [
    ..."model prompt data out max-new-tokens temperature top-k top-p seed device".split(" "),
    ..."min-p repetition-penalty presence-penalty frequency-penalty stop samples limit".split(" "),
  ],
  chat: "model system format temperature stop seed device".split(" "),
  loss: ["limit", "map", "ignore", "keep", "model", "data", "mask", "max-length", "device", "json"],
  plan: ["model", "data", "epochs", "batch-size", "mask", "max-length", "split", "device", "json"],
  data: [],
  "data convert": ["out", "to", "map", "ignore", "keep"],
  "data clean": ["normalize", "personal", "review", "report"],
  "data inspect": "model format mask max-length examples json map ignore keep".split(" "),
  doctor: ["gpu", "html", "json"],
  score: ["judge", "limit", "json"],
  run: [
    ..."parameter parameters output html theme md junit timeout total-timeout resume".split(" "),
    ..."cache sandbox allow-read allow-write memory disk jobs allow-errors cwd json".split(" "),
  ],
  test: ["parameter", "parameters", "timeout", "total-timeout", "jobs", "fail-fast", "junit"],
  check: ["parameter", "parameters", "timeout", "total-timeout", "tolerance", "json"],
  clean: ["check"],
  verify: [
    ..."trust notebook cwd timeout total-timeout allow-read allow-write memory disk".split(" "),
    ...["tolerance", "json"],
  ],
  diff: ["tolerance", "json"],
  kernel: [],
  "kernel install": ["prefix", "user", "name", "display-name", "strict"],
  grade: [],
  "grade init": [],
  "grade release": ["course", "no-prove", "unsafe"],
  "grade validate": ["released", "no-run", "markdown"],
  "grade regrade": ["course", "jobs", "student", "unsafe"],
  "grade autograde": ["course", "jobs", "student", "shard", "unsafe"],
  "grade collect": ["course", "layout", "names", "worksheet", "file-times"],
  export: "html md output theme title ollama gguf hf type format adapter merge".split(" "),
};

for (const [command, options] of Object.entries(COMMANDS)) {
  Deno.test(`tunebook ${command} --help names every option`, async () => {
    const { code, stdout, stderr } = await tunebook([...command.split(" "), "--help"]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `Usage: tunebook ${command}`);
    assert(!/\(default: (\[|false)/.test(stdout), "defaults are shown as they are typed");
    for (const option of options) {
      assert(
        new RegExp(`^  (-\\w, )?--${option}( |$)`, "m").test(stdout),
        `--${option} is missing`,
      );
    }
    // each is described: no option is on a line without a description
    for (const match of stdout.matchAll(/^ {2}--\S+( <\S+>)?$(?!\n {10,}\S)/gm)) {
      throw new Error(`"${match[0]}" is not described`);
    }
  });
}

Deno.test("tunebook without arguments lists its commands", async () => {
  const { code, stdout } = await tunebook([]);
  assertEquals(code, 0);
  for (const command of Object.keys(COMMANDS).map((name) => name.split(" ")[0])) {
    assert(new RegExp(`^  ${command}\\b.* {2}\\w`, "m").test(stdout), command);
  }
});

Deno.test("tunebook says what makes no sense, and ends with 2", async () => {
  const model = ["--model", "m", "--data", "d"];
  const train = ["train", ...model, "--out", "o"];
  const wrong: [string[], string][] = [
    [["trian"], "error: unknown command 'trian'\n(Did you mean train?)\n"],
    [["doctor", "--jsno"], "error: unknown option '--jsno'\n(Did you mean --json?)\n"],
    [["train"], "error: required option '--model <name>' not specified\n"],
    [[...train, "--epochs", "0"], "Expected a whole number of 1 or more.\n"],
    [[...train, "--lr", "fast"], "Expected a number of 0 or more.\n"],
    [[...train, "--seed", "1.5"], "Expected a whole number of 0 or more.\n"],
    [[...train, "--mask", "all"], "Allowed choices are none, instruction, prompt.\n"],
    [[...train, "--warmup", "1.5"], "Expected a whole number of steps, or a fraction below 1.\n"],
    [[...train, "--schedule", "wave"], "Allowed choices are constant, linear, cosine.\n"],
    [[...train, "--dropout", "1"], "Expected a number from 0 up to, but not including, 1.\n"],
    [[...train, "--max-gradient-norm", "0"], "Expected a number above 0.\n"],
    [[...train, "--split", "1,1"], 'Cannot split by "1,1": give three fractions from 0 to 1'],
    [[...train, "--device", "tpu"], "Allowed choices are auto, cpu, webgpu.\n"],
    [["generate", "--model", "m", "--top-p", "2"], "Expected a number above 0 and up to 1.\n"],
    [["score"], "error: missing required argument 'responses'\n"],
  ];
  const results = await Promise.all(wrong.map(([args]) => tunebook(args)));
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, wrong[i][1]);
  }
});
