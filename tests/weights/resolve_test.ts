import { assert, assertEquals, assertRejects } from "@std/assert";
import { HubError } from "../../lib/weights/hub.ts";
import { checkpointName, SHORT_NAMES } from "../../lib/weights/names.ts";
import { resolveModel } from "../../lib/weights/resolve.ts";
import type { ResolvedDirectory } from "../../lib/weights/resolved.ts";
import { COMMIT, FakeHub } from "./hub/fake_hub.ts";
import { TemporaryDirectory } from "./temporary.ts";

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("resolveModel() finds a directory's files", async () => {
  using temporary = new TemporaryDirectory();
  const directory = `${temporary.path}/tiny`;
  Deno.mkdirSync(directory);
  temporary.file("tiny/config.json", "{}");
  temporary.file("tiny/vocab.json", "{}");
  const index = temporary.file("tiny/model.safetensors.index.json", "{}");
  const expected = {
    kind: "directory",
    spec: directory,
    source: "directory",
    name: "tiny",
    directory,
    config: `${directory}/config.json`,
    weights: index,
    files: ["config.json", "model.safetensors.index.json", "vocab.json"],
  };
  assertEquals(await resolveModel(directory), expected);
  assertEquals(await resolveModel(`${directory}/`), { ...expected, spec: `${directory}/` });
  const weights = temporary.file("tiny/model.safetensors", "");
  assertEquals((await resolveModel(directory)).weights, weights, "one file before an index");
});

Deno.test("resolveModel() says what it looked for and where", async () => {
  using temporary = new TemporaryDirectory();
  const directory = temporary.path;
  const file = temporary.file("model.safetensors", "");
  const cases: [string, new (message: string) => Error, string][] = [
    [
      "",
      RangeError,
      'Cannot find a model with an empty name: expected a directory, a GGUF file, "hf:owner/name"',
    ],
    [
      `${directory}/none`,
      Deno.errors.NotFound,
      `there is no directory or file "${directory}/none"`,
    ],
    [file, Deno.errors.NotFound, `"${file}" is neither a GGUF file nor a directory`],
    [directory, Deno.errors.NotFound, 'holds "model.safetensors" but no "config.json"'],
    ["s3:bucket/x", RangeError, '"s3:" is not known, expected a directory'],
    ["gpt2-mediun", Deno.errors.NotFound, 'did you mean "gpt2-medium"'],
    ["owner/model", Deno.errors.NotFound, 'did you mean "hf:owner/model"'],
    ["hf:gpt2", RangeError, 'did you mean "hf:openai-community/gpt2"'],
    ["hf:", RangeError, 'expected "owner/name"'],
    ["hf:owner/model@", RangeError, 'Cannot use "" as a revision of "hf:owner/model"'],
  ];
  const part = temporary.file("x-00001-of-00002.gguf", "GGUF");
  const { kind, name, weights } = await resolveModel(part);
  assertEquals([kind, name, weights], ["gguf", "x", part]);
  const second = temporary.file("x-00002-of-00002.gguf", "GGUF");
  assertEquals((await resolveModel(second)).weights, part, "any part stands for all");
  for (const [spec, type, message] of cases) {
    await assertRejects(() => resolveModel(spec), type, message);
  }
  for (const path of [part, second, file]) Deno.removeSync(path);
  await assertRejects(() => resolveModel(directory), Deno.errors.NotFound, "and it is empty");
  temporary.file("a.gguf", "");
  await assertRejects(
    () => resolveModel(directory),
    Deno.errors.NotFound,
    `to use a GGUF file, name it: "${directory}/a.gguf"`,
  );
});

Deno.test("resolveModel() takes a GGUF file, known by its ending or by how it begins", async () => {
  using temporary = new TemporaryDirectory();
  for (const [file, name] of [["Tiny.Q8_0.gguf", "Tiny.Q8_0"], ["sha256-abc", "sha256-abc"]]) {
    const weights = temporary.file(file, "GGUF");
    assertEquals(await resolveModel(weights), {
      kind: "gguf",
      spec: weights,
      source: "file",
      name,
      weights,
    });
  }
});

Deno.test("resolveModel() downloads hf: names and short names, revisions included", async () => {
  await using hub = new FakeHub();
  using temporary = new TemporaryDirectory();
  hub.files.set("config.json", text("{}"));
  hub.files.set("model.safetensors", text("weights"));
  hub.repository = "openai-community/gpt2-medium";
  hub.revisions["refs/pr/1"] = COMMIT;
  const options = {
    endpoint: hub.endpoint,
    cacheDirectory: temporary.path,
    offline: false,
    retries: 0,
  };
  const directory = `${temporary.path}/models--openai-community--gpt2-medium/snapshots/${COMMIT}`;
  for (
    const spec of [
      "gpt2-medium",
      "hf:openai-community/gpt2-medium",
      "hf:openai-community/gpt2-medium@refs/pr/1",
      `hf:openai-community/gpt2-medium@${COMMIT}`,
    ]
  ) {
    assertEquals(await resolveModel(spec, options), {
      kind: "directory",
      spec,
      source: "hub",
      name: "gpt2-medium",
      directory,
      config: `${directory}/config.json`,
      weights: `${directory}/model.safetensors`,
      files: ["config.json", "model.safetensors"],
      commit: COMMIT,
      notice: undefined,
    });
  }
  const error = await assertRejects(
    () => resolveModel("hf:owner/none", options),
    HubError,
    `from ${hub.endpoint}: there is no such repository`,
  );
  assert(error.message.includes('"hf:owner/none"'));
});

Deno.test("resolveModel() downloads a GGUF file of a repository", async () => {
  await using hub = new FakeHub();
  using temporary = new TemporaryDirectory();
  hub.files.set("sub/tiny-q8_0.gguf", text("GGUF and so on"));
  const options = { endpoint: hub.endpoint, cacheDirectory: temporary.path, retries: 0 };
  const weights = `${temporary.path}/models--owner--model/snapshots/${COMMIT}/sub/tiny-q8_0.gguf`;
  for (const revision of ["", "@main", `@${COMMIT}`]) {
    const spec = `hf:owner/model/sub/tiny-q8_0.gguf${revision}`;
    assertEquals(await resolveModel(spec, { ...options, offline: false }), {
      kind: "gguf",
      spec,
      source: "hub",
      name: "tiny-q8_0",
      weights,
      commit: COMMIT,
      notice: undefined,
    });
  }
  assertEquals(Deno.readTextFileSync(weights), "GGUF and so on");
  assertEquals(hub.count("GET", /^\/store\//), 1, "the bytes are fetched once");
});

Deno.test("resolveModel() takes nano from the copy of Tunebook it belongs to", async () => {
  const directory = new URL("../../data/nano", import.meta.url).pathname;
  const model = await resolveModel("nano").catch((error) => {
    // Before `deno task nano` has made it, the message must say where it should be.
    assert(error instanceof Deno.errors.NotFound && error.message.includes(directory), `${error}`);
  });
  if (model === undefined) return;
  const { kind, source, name, directory: found } = model as ResolvedDirectory;
  assertEquals([kind, source, name, found], ["directory", "embedded", "nano", directory]);
});

Deno.test("checkpointName() adds GPT-2's size and what was done", () => {
  const names = Object.keys(SHORT_NAMES).filter((name) => name.startsWith("gpt2"));
  assertEquals(names.map(checkpointName), [
    "gpt2-small124M-sft",
    "gpt2-medium355M-sft",
    "gpt2-large774M-sft",
    "gpt2-xl1558M-sft",
  ]);
  assertEquals(checkpointName("nano"), "nano-sft");
  assertEquals(checkpointName("runs/tiny/"), "tiny-sft");
  assertEquals(checkpointName("constructor"), "constructor-sft");
  assertEquals(checkpointName("/"), "model-sft");
});
