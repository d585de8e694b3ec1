import { assertEquals, assertStringIncludes } from "@std/assert";
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
  const other = await infer("--seed", "5");
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, `Cannot continue "${log}": line 1 is the answer of another`);
  assertEquals((await infer("--seed", "5", "--overwrite")).code, 0);
});
