import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { tunebook, Workshop } from "./tunebook.ts";

Deno.test("tunebook infer logs each answer, and continues an interrupted log", async () => {
  await using workshop = await Workshop.open();
  const log = workshop.file("log", "answers.jsonl");
  const infer = (...more: string[]) =>
    tunebook([
      ...["infer", "--model", workshop.file("model"), "--data", workshop.file("data.json")],
      ...["--log", log, "--max-new-tokens", "3", "--temperature", "1", ...more],
    ]);
  const first = await infer("--batch-size", "5");
  assertEquals([first.code, first.stdout], [0, ""], first.stderr);
  const lines = (await Deno.readTextFile(log)).trimEnd().split("\n");
  const answers = lines.map((line) => JSON.parse(line));
  assertEquals(answers.map(({ index }) => index).sort((a, b) => a - b), [...Array(24).keys()]);
  assertEquals(Object.keys(answers[0]), [
    ...["index", "instruction", "input", "output", "model_response", "tokens", "finish"],
    ...["model", "settings"],
  ]);
  // Killed in the middle of a line: what is left is answered as it would have been.
  await Deno.writeTextFile(log, lines.slice(0, 9).join("\n") + `\n${lines[9].slice(0, 20)}`);
  assertEquals((await infer()).code, 0);
  const again = (await Deno.readTextFile(log)).trimEnd().split("\n").toSpliced(9, 1);
  assertEquals(again.toSorted(), lines.toSorted());
  // A limit that the log is beyond answers nothing, and takes nothing from it.
  assertEquals((await infer("--limit", "2")).code, 0);
  assertEquals((await Deno.readTextFile(log)).trimEnd().split("\n").length, 25);
  const cold = await infer("--samples", "2", "--temperature", "0");
  assertStringIncludes(cold.stderr, "Cannot draw 2 samples at --temperature 0");
  const other = await infer("--seed", "5");
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, `Cannot continue "${log}": line 1 is the answer of another`);
  assertEquals((await infer("--seed", "5", "--overwrite", "--limit", "2")).code, 0);
  const indices = async () =>
    (await Deno.readTextFile(log)).trimEnd().split("\n").map((line) => JSON.parse(line).index)
      .sort((a, b) => a - b);
  assertEquals(await indices(), [0, 1]);
  assertEquals((await infer("--seed", "5", "--limit", "5")).code, 0);
  assertEquals(await indices(), [0, 1, 2, 3, 4]);
});

Deno.test("tunebook infer masks and refuses, logs what filters found, and continues with the same filters only", async () => {
  await using workshop = await Workshop.open();
  const log = workshop.file("log", "answers.jsonl");
  const block = workshop.file("block.txt");
  await Deno.writeTextFile(block, "casino\n");
  const entry = (instruction: string) => ({ instruction, input: "", output: "x" });
  await workshop.write("data.json", [
    { ...entry("Write to ana@example.org."), mood: "glad" },
    entry("Name a casino of ana@example.org"),
    entry("Name a fruit."),
  ]);
  const infer = (...more: string[]) =>
    tunebook([
      ...["infer", "--model", workshop.file("model"), "--data", workshop.file("data.json")],
      ...["--log", log, "--max-new-tokens", "3", "--block", block, "--ignore", "mood", ...more],
    ]);
  const first = await infer("--personal-data", "mask");
  assertEquals([first.code, first.stdout], [0, ""], first.stderr);
  const text = await Deno.readTextFile(log);
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line))
    .sort((a, b) => a.index - b.index);
  assertEquals(lines.map(({ instruction, refusal }) => [instruction, refusal]), [
    ["Write to [EMAIL].", undefined],
    ["Name a [BLOCKED] of [EMAIL]", 'Cannot answer: the prompt has "casino", which is blocked'],
    ["Name a fruit.", undefined],
  ]);
  assertEquals([lines[1].model_response, lines[1].finish, lines[1].tokens], ["", "refused", 0]);
  assertEquals(lines[0].filtered, [{
    ...{ of: "prompt", field: "instruction", filter: "personalData", start: 9, end: 24 },
    ...{ reason: "has an e-mail address", mask: "[EMAIL]" },
  }]);
  assertEquals(text.includes("ana@"), false);
  assertEquals((await infer("--personal-data", "mask")).code, 0);
  assertEquals(await Deno.readTextFile(log), text);
  const other = await infer("--personal-data", "mask", "--personal-kinds", "email");
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, "is the answer of another model");
  const shop = fromFileUrl(import.meta.resolve("../../data/shop/shop.jsonl"));
  const outside = await infer("--domain", shop, "--overwrite");
  assertEquals(outside.code, 0, outside.stderr);
  assertStringIncludes(outside.stderr, "Domain: 160 prompts, of which the filter would refuse 8 (");
  const { finish, refusal } = JSON.parse((await Deno.readTextFile(log)).split("\n")[0]);
  assertEquals(finish, "refused");
  assertStringIncludes(refusal, "is outside the domain");
  const kinds = await infer("--personal-kinds", "email");
  assertEquals(
    kinds.stderr,
    "error: Cannot look for kinds of personal data: --personal-kinds needs --personal-data\n",
  );
});
