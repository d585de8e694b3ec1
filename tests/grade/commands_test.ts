// What comes after grading, as commands: the marking page, feedback, the gradebook.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { start, tunebook } from "../cli/tunebook.ts";
import { sampleCourse } from "./sample_course.ts";

Deno.test("grade serve prints its address, serves the page, and ends by Ctrl-C", async () => {
  await using sample = await sampleCourse();
  const child = start(["grade", "serve", "--course", sample.folder, "--marker", "Kim"]);
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let address = "";
  while (!address.includes("\n")) address += (await reader.read()).value ?? "\n";
  assertMatch(address, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n$/);
  const entered = await fetch(address.trim());
  const cookie = entered.headers.get("set-cookie")!.split(";")[0]!;
  await entered.body?.cancel();
  const base = new URL(address.trim()).origin;
  const begun = await (await fetch(`${base}/api/start`, { headers: { cookie } })).json();
  assertEquals([begun.marker, begun.anonymous, begun.suggests], ["Kim", true, false]);
  assertEquals(begun.questions.map(({ id }: { id: string }) => id), [
    "week3/main/why",
    "week3/main/plan",
  ]);
  child.kill("SIGINT");
  assertEquals((await child.status).code, 0);
  assertStringIncludes(await errors, "Open this address");
  await reader.cancel();
});

Deno.test("grade serve names what is wrong", async () => {
  await using sample = await sampleCourse();
  const serve = (...args: string[]) =>
    tunebook(["grade", "serve", "--course", sample.folder, ...args]);
  const unknown = await serve("week9");
  assertEquals(unknown.code, 1);
  assertStringIncludes(unknown.stderr, 'Cannot mark "week9"');
  const judge = await serve("--judge", "gpt");
  assertEquals(judge.code, 1);
  assertStringIncludes(judge.stderr, 'give "ollama:MODEL"');
});

Deno.test("grade feedback writes a page for each student and says what waits", async () => {
  await using sample = await sampleCourse();
  const { code, stderr } = await tunebook([
    ...["grade", "feedback", "week3", "--course", sample.folder],
  ]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "Wrote 10 pages");
  assertStringIncludes(stderr, "On 10 of them, answers wait");
  const page = await Deno.readTextFile(`${sample.folder}/feedback/student3/week3/week3.html`);
  assertStringIncludes(page, "First3 Last3 (student3)");
});
