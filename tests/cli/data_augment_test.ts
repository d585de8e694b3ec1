// tunebook data augment and clean ask a model, and write data only after a person has decided.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { runHere } from "./in_process.ts";

/** An OpenAI-compatible endpoint that keeps the requests. */
function fakeModel(reply: (prompt: string, seed: number) => string) {
  const requests: { prompt: string; temperature: number }[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { messages, temperature, seed } = await request.json();
      requests.push({ prompt: messages[0].content, temperature });
      const message = { role: "assistant", content: reply(messages[0].content, seed) };
      return Response.json({ choices: [{ index: 0, message, finish_reason: "stop" }] });
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}/v1`;
  const options = ["--teacher", "openai:tiny", "--teacher-url", url];
  return { requests, options, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("tunebook data augment adds paraphrases, pairs that a person reviewed, and labels", async () => {
  using folder = new TemporaryDirectory();
  const data = folder.file(
    "data.json",
    JSON.stringify([
      { instruction: "Name a colour.", output: "Blue." },
      { instruction: "Give the plural of mouse.", output: "" },
    ]),
  );
  await using model = fakeModel((prompt, seed) =>
    prompt.startsWith("These are examples")
      ? JSON.stringify({ instruction: "List two fruits.", input: "", output: "Apples, pears" })
      : seed === 125
      ? "Mouses"
      : "Mice."
  );
  const [out, review] = [folder.file("out.json", "old"), `${folder.file("none", "")}.csv`];
  const args = ["data", "augment", data, "--out", out, "--pairs", "1", "--review", review];
  args.push("--rules", "please", "--label", "--samples", "3", ...model.options);
  const first = await runHere(args);
  assertEquals([first.code, first.stdout], [0, ""], first.stderr);
  assertStringIncludes(first.stderr, `1 proposals written to "${review}"`);
  assertEquals(await Deno.readTextFile(out), "old", "nothing is written unseen");
  assertEquals(model.requests[0].temperature, 0.7);

  const table = await Deno.readTextFile(review);
  await Deno.writeTextFile(review, table.replace('pears",,,,', 'pears",yes,yes,yes,'));
  const second = await runHere(args);
  assertEquals(second.code, 0, second.stderr);
  for (
    const line of [
      `2 entries, 5 written to "${out}"`,
      "2 paraphrases by rules",
      "1 accepted, 0 of them revised, 0 refused",
      "1 of 1 empty outputs labelled",
    ]
  ) assertStringIncludes(second.stdout, line);
  const written = JSON.parse(await Deno.readTextFile(out));
  assertEquals(written.map((entry: { output: string }) => entry.output), [
    ...["Blue.", "Mice.", "Blue.", "Mice.", "Apples, pears"],
  ]);
  assertEquals(written[1].source, "label by openai:tiny, 2 of 3 answers agree");

  const unseen = await runHere([...args.slice(0, 7), ...model.options]);
  assertStringIncludes(
    unseen.stderr,
    "Cannot add what a model proposes unseen: give --review FILE",
  );
});

Deno.test("tunebook data clean --grammar corrects what a person accepts", async () => {
  using folder = new TemporaryDirectory();
  const data = folder.file(
    "data.json",
    JSON.stringify([{ instruction: "He  go to school?", output: "Yes." }]),
  );
  await using model = fakeModel(() => '{"corrected": "Does he go to school?"}');
  const [out, table] = [`${data}.out.json`, `${data}.csv`];
  const args = ["data", "clean", data, "--out", out, "--grammar", table];
  const nobody = await runHere(args);
  assertStringIncludes(nobody.stderr, "Cannot propose corrections without a model to ask");
  const first = await runHere([...args, ...model.options]);
  assertStringIncludes(first.stderr, `1 corrections written to "${table}"`);
  assertStringIncludes(model.requests[0].prompt, "Text:\nHe go to school?");
  const text = await Deno.readTextFile(table);
  await Deno.writeTextFile(table, text.replace("school?,,,", "school?,yes,,"));
  const second = await runHere(args);
  assertEquals(second.code, 0, second.stderr);
  assertEquals(JSON.parse(await Deno.readTextFile(out)), [
    { instruction: "Does he go to school?", input: "", output: "Yes." },
  ]);
});
