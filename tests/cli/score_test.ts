import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { writeResponses } from "../../lib/eval/responses.ts";

const CLI = fromFileUrl(import.meta.resolve("../../lib/cli.ts"));
const ENTRY = { instruction: "Give the plural.", input: "mouse", output: "mice" };

async function score(args: string[], host = "127.0.0.1:9"): Promise<{
  code: number;
  stdout: string;
  stderr: string;
}> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", CLI, "score", ...args],
    env: { OLLAMA_HOST: host, NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function withResponses(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/responses.json`;
    await writeResponses(path, [
      { ...ENTRY, model_response: "mice" },
      { ...ENTRY, model_response: "The mice" },
    ]);
    await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("tunebook score prints the scores as fractions", async () => {
  await withResponses(async (path) => {
    assertEquals(await score([path]), {
      code: 0,
      stdout: "examples     2\nROUGE-L      0.8333\nexact match  0.5000 (1 of 2)\n",
      stderr: "",
    });
  });
});

Deno.test("tunebook score --json prints one document, the judge's counts in it", async () => {
  const replies = ["80", "no number"];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () =>
      Response.json({
        message: { role: "assistant", content: replies.shift() },
        done: true,
        done_reason: "stop",
        prompt_eval_count: 9,
      }),
  );
  try {
    await withResponses(async (path) => {
      const { code, stdout, stderr } = await score(
        [path, "--judge", "ollama:tiny", "--json"],
        `127.0.0.1:${server.addr.port}`,
      );
      assertEquals(code, 0, stderr);
      const { judge, ...scores } = JSON.parse(stdout);
      assertEquals(scores, {
        responses: path,
        examples: 2,
        rougeL: (1 + 2 / 3) / 2,
        exactMatch: 0.5,
      });
      const { scored, unparsable, failed, notAsked, average } = judge;
      assertEquals([scored, unparsable, failed, notAsked, average], [1, 1, 0, 0, 80]);
      assert(stderr.includes("warning: The judge's reply is not an integer from 0 to 100"), stderr);
    });
  } finally {
    await server.shutdown();
  }
});

Deno.test("tunebook score --metric gives any metrics, with intervals and signatures", async () => {
  await withResponses(async (path) => {
    const names = "bleu,chrf,rouge1,rouge2,rougeL,rougeLsum,meteor:stems,exactMatch";
    const { code, stdout, stderr } = await score([path, "--metric", names, "--json"]);
    assertEquals(code, 0, stderr);
    const { metrics } = JSON.parse(stdout);
    assertEquals(Object.keys(metrics), names.split(","));
    const { corpus, each, interval, signature } = metrics.exactMatch;
    assertEquals([corpus, each, interval], [0.5, [1, 0], [0, 1]]);
    assertEquals(signature, "metric:exactMatch|nrefs:1|normalized:trim");
    const shown = await score([path, "--metric", "rouge1,chrf:words"]);
    assertEquals(
      shown.stdout.split("\n").map((line) => line.slice(0, 39).trimEnd()),
      [
        "examples     2",
        "ROUGE-1        0.8333  [0.6667, 1.0000]",
        "chrF (words)    88.51  [79.99, 100.00]",
        "",
      ].map((line) => line.slice(0, 39)),
    );
  });
});

Deno.test("tunebook score --against names no winner within the noise", async () => {
  await withResponses(async (path) => {
    const { code, stdout, stderr } = await score([path, "--against", path]);
    assertEquals(code, 0, stderr);
    assert(stdout.includes("exact match: this 0.5000, other 0.5000, difference 0.0000 "), stdout);
    assert(stdout.includes("p 1.0000: tied; the scores are the same\n"), stdout);
  });
});

Deno.test("tunebook score reads the other kinds and forms of data, gzip too", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const csv = `${folder}/answers.csv.gz`;
    const rows =
      "question,completion,answer\nGive the plural: mouse,mice,mice\nAnd of cat?,cats,\n";
    const zipped = new Blob([rows]).stream().pipeThrough(new CompressionStream("gzip"));
    await Deno.writeFile(csv, zipped);
    const fields = ["--map", "prompt=question", "--map", "model_response=answer"];
    const { code, stdout, stderr } = await score([csv, ...fields]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout, "examples     2\nROUGE-L      0.5000\nexact match  0.5000 (1 of 2)\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tunebook score asks MT-Bench's questions, compares pairs, and prints the judge's card", async () => {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      if (request.method === "GET") return Response.json({ models: [] });
      const prompt = (await request.json()).messages[0].content;
      asked.push(prompt);
      const content = prompt.startsWith("Compare two")
        ? "The first is better. [[A]]"
        : `Short. Rating: [[${prompt.endsWith("answer]\nmice") ? 9 : 1}]]`;
      const message = { role: "assistant", content };
      return Response.json({ message, done: true, done_reason: "stop", prompt_eval_count: 9 });
    },
  );
  try {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/responses.json`;
    const rated = [["mice", "mice", 9], ["The mice", "rats", 2]] as const;
    await Deno.writeTextFile(
      path,
      JSON.stringify(rated.map(([model_response, output, points]) => ({
        ...ENTRY,
        ...{ output, model_response, points },
      }))),
    );
    const { code, stdout, stderr } = await score(
      [
        ...[path, "--judge", "ollama:tiny", "--question", "mt-bench", "--against", path],
        ...["--pairs", "--card", "--human", "points"],
      ],
      `127.0.0.1:${server.addr.port}`,
    );
    await Deno.remove(folder, { recursive: true });
    assertEquals(code, 0, stderr);
    for (
      const line of [
        "judge        ollama:tiny: 5.00 ± 4.00 over 2 of 2 responses",
        "pairs        this 0, other 0, ties 2, failed 0, the same in both orders 0 %, p 1.0000: tied",
        "references   5.00; of other entries 5.00, no answer 1.00",
        "length       -800.00 points for 100 more words",
        "people       rank correlation 1.00",
      ]
    ) assert(stdout.includes(line), `${line} in\n${stdout}`);
  } finally {
    await server.shutdown();
  }
  assert(asked.every((prompt) => /^(Rate an|Compare two) AI/.test(prompt)), "the card too");
  const alone = await score(["nowhere.json", "--card"]);
  assert(alone.stderr.includes("Cannot judge: --card needs --judge"), alone.stderr);
});

Deno.test("tunebook score gives its own scores where the judge is away", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const host = `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
  listener.close();
  await withResponses(async (path) => {
    const asked = ["--against", path, "--pairs", "--criteria", "format", "--seeds", "7"];
    const { code, stdout, stderr } = await score([path, "--judge", "ollama:tiny", ...asked], host);
    assertEquals(code, 0);
    assert(stdout.includes("ROUGE-L      0.8333"), stdout);
    assert(stdout.includes("ollama:tiny: no score for any of 2 responses, 2 failed"), stdout);
    assert(
      stderr.includes(`warning: Cannot reach Ollama at "http://${host}": start it with`) &&
        stderr.includes("(2 times)"),
      stderr,
    );
    assert(stdout.includes("ties 0, failed 2, p 1.0000: no verdict on any pair"), stdout);
    for (const part of ["pairs", "format", "seed 7"]) {
      assert(stderr.includes(`warning: ${part}: Cannot reach Ollama`), `${part} in\n${stderr}`);
    }
  });
});

Deno.test("tunebook score says in one line what is wrong", async () => {
  await withResponses(async (path) => {
    const cases: [string[], string, number][] = [
      [[`${path}.no`], `error: Cannot read "${path}.no": there is no such file`, 1],
      [[path, "--judge", "llama3"], 'error: Cannot use the judge "llama3"', 1],
      [[path, "--metric", "blue"], 'did you mean "bleu"?', 1],
      [[path, "--seed", "x"], "Expected a whole number of 0 or more.", 2],
      [[path, "--num-ctx", "0"], "Expected a whole number of 1 or more.", 2],
    ];
    for (const [args, message, exit] of cases) {
      const { code, stdout, stderr } = await score(args);
      assertEquals([code, stdout], [exit, ""], stderr);
      assert(stderr.includes(message), stderr);
    }
  });
});
