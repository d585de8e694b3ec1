/** The judge in a real Ollama with a small real model, where both are present. */
import { assert, assertEquals } from "@std/assert";
import { judgeResponses } from "../../lib/eval/judge.ts";
import { parseTeacher } from "../../lib/eval/judges/teacher.ts";
import { ollamaJudge } from "../../lib/eval/ollama_judge.ts";
import { createOllamaModel } from "../../lib/weights/ollama_create.ts";
import { ollama, OllamaServer, smollm2 } from "../ollama.ts";

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
    smollm2.needs,
  ignore: !ollama.found || !smollm2.found,
  async fn(t) {
    const server = await OllamaServer.start();
    const { host } = server;
    // on a busy machine one thread is far quicker than several
    const options = { host, numCtx: 512, options: { num_thread: 1 } };
    try {
      await createOllamaModel("smollm2", { gguf: smollm2.path, host });

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

      await t.step("a teacher's reply is held to the form that is asked for", async () => {
        const teacher = parseTeacher("ollama:smollm2", { ...options, temperature: 0.7 });
        const schema = { type: "array", items: { type: "string" }, minItems: 1, maxItems: 1 };
        const prompt = "Reword this: Name a colour.";
        const reply = await teacher.ask({ prompt, schema, maxTokens: 40, seed: 1 });
        assert(reply === undefined || Array.isArray(JSON.parse(reply)), reply);
      });

      await t.step("a prompt that is too long gets no score", async () => {
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
      await server[Symbol.asyncDispose]();
    }
    await t.step("a server that has ended is unreachable", async () => {
      const report = await judgeResponses(ENTRIES, ollamaJudge("smollm2", options));
      assertEquals(report.problems.map(({ count }) => count), [2]);
      assert(report.problems[0]!.message.startsWith(`Cannot reach Ollama at "http://${host}"`));
    });
  },
});
