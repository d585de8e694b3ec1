// Recipe 4 under its real model's name: weights from a hub on this machine, which serves a small random GPT-2, and scores from
// a server in Ollama's place.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { readResponses } from "../../lib/eval/mod.ts";
import { type CodeCell, readNotebook, runNotebook } from "../../lib/runtime/mod.ts";
import { readStateDict } from "../../lib/weights/mod.ts";
import { makeByteLevelStandIn } from "../../notebooks/recipes/stand_in.ts";
import { FakeHub } from "../weights/hub/fake_hub.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import instructionData from "../../data/instructions/instruction-data.json" with { type: "json" };

// Stand-ins are so small that threads would mostly wait for each other.
Deno.env.set("TUNEBOOK_THREADS", "1");

const notebookPath = fromFileUrl(
  new URL("../../notebooks/recipes/04_gpt2_medium.ipynb", import.meta.url),
);

/** The cells of the write-up's own steps; recipes_test.ts runs all. */
const STEPS = [
  "parameters",
  "imports",
  "data-load",
  "split",
  "model",
  "facts",
  "before",
  "train",
  "after",
  "judge",
  "keep",
  "mt-bench",
];

interface Asked {
  readonly model: string;
  readonly messages: readonly { readonly content: string }[];
  readonly options: Record<string, unknown>;
}

/** A server that gives every answer 64 points or 7 of 10, and keeps what it was asked. */
function serveJudge() {
  const asked: Asked[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      if (!request.url.endsWith("/api/chat")) {
        return Response.json({ models: [{ name: "llama3:latest", digest: "365c0bd3c000" }] });
      }
      const body: Asked = await request.json();
      asked.push(body);
      const content = body.messages[0].content.includes("[[5]]") ? "Fair. Rating: [[7]]" : "64";
      return Response.json({
        message: { role: "assistant", content },
        done: true,
        done_reason: "stop",
        prompt_eval_count: 60,
        eval_count: 4,
      });
    },
  );
  return { asked, server, host: `127.0.0.1:${server.addr.port}` };
}

Deno.test("recipe 4 fetches GPT-2 Medium from a hub, asks llama3, and names its files as its write-up", async () => {
  using temporary = new TemporaryDirectory();
  await using hub = new FakeHub();
  hub.repository = "openai-community/gpt2-medium";
  const served = await makeByteLevelStandIn("gpt2", {
    directory: join(temporary.path, "served"),
    seed: 7,
  });
  for await (const { name } of Deno.readDir(served)) {
    hub.files.set(name, await Deno.readFile(join(served, name)));
  }
  const judge = serveJudge();
  const output = join(temporary.path, "output");
  const dataSource = join(temporary.path, "pairs.json");
  await Deno.writeTextFile(dataSource, JSON.stringify(instructionData.slice(0, 40)));
  try {
    const whole = await readNotebook(notebookPath);
    const steps = { ...whole, cells: whole.cells.filter(({ id }) => STEPS.includes(id)) };
    const { ok, failure, notebook } = await runNotebook(steps, {
      path: notebookPath,
      name: "04_gpt2_medium.ipynb",
      parameters: {
        modelName: "gpt2-medium",
        dataSource,
        output,
        device: "cpu",
        maxNewTokens: 4,
      },
      timeout: 240,
      env: {
        HF_ENDPOINT: hub.endpoint,
        HF_HUB_CACHE: join(temporary.path, "cache"),
        HF_HUB_OFFLINE: "",
        HF_TOKEN: "",
        OLLAMA_HOST: judge.host,
      },
    });
    assert(ok, failure?.summary);
    const printed = (id: string) =>
      notebook.cells.filter((cell): cell is CodeCell => cell.cell_type === "code" && cell.id === id)
        .flatMap(({ outputs }) => outputs)
        .map((output) => output.output_type === "stream" ? output.text : "").join("");
    assertMatch(printed("model"), /^The model: Model "gpt2-medium" \(gpt2, 3\.3 million/);
    assertEquals(hub.count("GET", /\/store\/model\.safetensors/), 1);

    assertMatch(
      printed("judge"),
      /after: ollama:llama3: \d+\.\d\d ± \d+\.\d\d over 4 of 4 responses/,
    );
    const [first] = judge.asked;
    assertEquals([first.model, first.options.temperature, first.options.seed], ["llama3", 0, 123]);
    assertStringIncludes(first.messages[0].content, "on a scale from 0 to 100");
    const rated = judge.asked.filter(({ messages }) => messages[0].content.includes("[[5]]"));
    assert(rated.length > 0, "no question of the kind of MT-Bench");

    // The write-up's names.
    const responses = await readResponses(join(output, "instruction-data-with-response.json"));
    assertEquals(
      responses.map(({ output }) => output),
      instructionData.slice(34, 38).map((one) => one.output),
    );
    const tensors = new Map<string, readonly number[]>();
    for await (const { name, shape } of readStateDict(join(output, "gpt2-medium355M-sft.pth"))) {
      tensors.set(name, shape);
    }
    assertEquals(tensors.get("tok_emb.weight"), [50257, 64]);
    assertEquals(tensors.get("trf_blocks.1.att.W_query.weight"), [64, 64]);
  } finally {
    await judge.server.shutdown();
  }
});
