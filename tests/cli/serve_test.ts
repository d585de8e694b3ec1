import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { start, tunebook, Workshop } from "./tunebook.ts";

Deno.test("tunebook serve answers, writes its log, and ends with Ctrl-C once all is answered", async () => {
  await using workshop = await Workshop.open();
  const log = workshop.file("log", "requests.jsonl");
  const block = workshop.file("block.txt");
  await Deno.writeTextFile(block, "# words of our own\ncasino\n");
  const process = start([
    ...["serve", "--model", workshop.file("model"), "--name", "tiny", "--port", "0"],
    ...["--format", "chatml", "--max-new-tokens", "40", "--log", log],
    ...["--block", block, "--personal-data", "mask", "--personal-kinds", "email"],
  ]);
  const lines = process.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  const { value: url } = await lines.read();
  const ask = (body: unknown) =>
    fetch(`${url}/api/chat`, { method: "POST", body: JSON.stringify(body) });
  const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: "Hi" }];
  const response = await ask({ model: "tiny", messages });
  const [first] = (await response.text()).split("\n");
  assertEquals(JSON.parse(first).model, "tiny");
  const refused = await ask({ model: "large", messages });
  assertEquals(refused.status, 404);
  await refused.body!.cancel();
  const filtered = await ask({
    model: "tiny",
    messages: [{ role: "user", content: "CASINO a@b.org" }],
  });
  assertEquals([filtered.status, await filtered.json()], [400, {
    error: 'Cannot answer: the prompt has "casino", which is blocked',
  }]);
  const last = await ask({ model: "tiny", messages, stream: true }); // it is being answered
  process.kill("SIGINT");
  const parts = (await last.text()).trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(parts.at(-1).done, true);
  await lines.cancel();
  const { code } = await process.status;
  const stderr = await new Response(process.stderr).text();
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, 'Serving "tiny"; Ctrl-C ends it\n');
  const noted = (await Deno.readTextFile(log)).trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals(noted.map(({ id, path, status }) => [id, path, status]), [
    ["1", "/api/chat", 200],
    ["2", "/api/chat", 404],
    ["3", "/api/chat", 400],
    ["4", "/api/chat", 200],
  ]);
  assertEquals(noted[2].ask.messages[0].content, "[BLOCKED] [EMAIL]");
  assertEquals(noted[0].ask, { messages });
  assertEquals(noted[0].answer, noted[3].answer);
  assert(noted[0].finished.promptTokens > 0 && Number.isSafeInteger(noted[0].settings.seed));
});

Deno.test("tunebook serve says why it cannot", async () => {
  await using workshop = await Workshop.open();
  const model = ["serve", "--model", workshop.file("model")];
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(taken.addr.port);
  const [busy, wrong] = await Promise.all([
    tunebook([...model, "--port", port]),
    tunebook([...model, "--parallel", "0"]),
  ]);
  taken.close();
  assertEquals([busy.code, busy.stdout, wrong.code], [1, "", 2]);
  assertStringIncludes(busy.stderr, `error: Cannot listen on 127.0.0.1:${port}: it is in use`);
});
