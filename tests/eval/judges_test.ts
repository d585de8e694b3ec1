// Judges: thinking models, whole conversations, criteria, pairs in both orders, seeds, kept replies, endpoints, cards.

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { cohenKappa, spearman } from "../../lib/eval/agreement.ts";
import { type Judge, JudgeError, judgePrompt, judgeResponses } from "../../lib/eval/judge.ts";
import { cachedJudge } from "../../lib/eval/judges/cached_judge.ts";
import { judgeCard } from "../../lib/eval/judges/card.ts";
import { MT_BENCH_PAIR, MT_BENCH_SINGLE } from "../../lib/eval/judges/mt_bench.ts";
import { openAiJudge } from "../../lib/eval/judges/openai_judge.ts";
import { judgePairs, pairVerdict, readChoice } from "../../lib/eval/judges/pairwise.ts";
import { parseJudge } from "../../lib/eval/judges/parse_judge.ts";
import { CRITERION_NAMES, criterionQuestion } from "../../lib/eval/judges/rubrics.ts";
import { judgeWithSeeds } from "../../lib/eval/judges/seeds.ts";
import { ollamaJudge } from "../../lib/eval/ollama_judge.ts";
import golden from "../golden/comparisons.json" with { type: "json" };

const ENTRY = { instruction: "Name a fruit.", input: "", output: "An apple." };
const answered = (...responses: string[]) =>
  responses.map((model_response) => ({ ...ENTRY, model_response }));

/** A judge that answers by a function of the prompt. */
const judgeBy = (reply: (prompt: string) => string, settings = {}): Judge & { asked: string[] } => {
  const asked: string[] = [];
  return {
    name: "stand-in",
    settings,
    asked,
    ask(prompt) {
      asked.push(prompt);
      return Promise.resolve({ reply: reply(prompt), cut: false });
    },
  };
};

/** Runs a stand-in server while something asks it, and gives the bodies that it received. */
async function withServer(
  answer: (body: any, path: string, request: Request) => unknown,
  use: (host: string, bodies: any[]) => Promise<void>,
): Promise<void> {
  const bodies: any[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const body = request.method === "POST" ? await request.json() : undefined;
      if (body) bodies.push(body);
      const answered = answer(body, new URL(request.url).pathname, request);
      return answered instanceof Response ? answered : Response.json(answered);
    },
  );
  try {
    await use(`127.0.0.1:${server.addr.port}`, bodies);
  } finally {
    await server.shutdown();
  }
}

/** An Ollama whose model thinks unless it is told not to; one that cannot help it thinks anyway. */
const thinkingOllama = (always: boolean) => (body: any, path: string) => {
  if (path === "/api/tags") return { models: [{ name: "qwen3:latest", digest: "abc123" }] };
  const thinks = always || body.think !== false;
  const room = body.options.num_predict < 0 || body.options.num_predict >= 40;
  const [content, done_reason] = thinks && !room ? ["", "length"] : ["85", "stop"];
  const message = { role: "assistant", content, ...(thinks && { thinking: "A fruit, as asked" }) };
  return { message, done: true, done_reason, prompt_eval_count: 60 };
};

Deno.test("ollamaJudge() asks a model that thinks not to, once and for all", async () => {
  await withServer(thinkingOllama(false), async (host, bodies) => {
    const report = await judgeResponses(
      answered("A pear.", "A plum."),
      ollamaJudge("qwen3", { host }),
    );
    assertEquals([report.average, report.scored], [85, 2]);
    assertEquals(bodies.map(({ think }) => think), [undefined, false, false]);
    assert(report.signature.endsWith("|thinking:off|digest:abc123"), report.signature);
  });
});

Deno.test("ollamaJudge() gives room to a model that cannot help thinking", async () => {
  await withServer(thinkingOllama(true), async (host, bodies) => {
    const report = await judgeResponses(
      answered("A pear.", "A plum."),
      ollamaJudge("qwen3", { host }),
    );
    assertEquals([report.average, report.scored], [85, 2]);
    assertEquals(bodies.map(({ think }) => think), [undefined, false, true, true]);
  });
});

Deno.test("judgeResponses() says that a judge thought until nothing was left", async () => {
  const judge = {
    name: "thinker",
    settings: {},
    ask: () => Promise.resolve({ reply: "", cut: true, thought: "Let me see" }),
  };
  const { problems } = await judgeResponses(answered("A pear."), judge);
  assert(problems[0].message.includes("on thinking"), problems[0].message);
});

Deno.test("ollamaJudge() honours temperature and seed, and says so", async () => {
  await withServer(thinkingOllama(false), async (host, bodies) => {
    const judge = ollamaJudge("qwen3", { host, temperature: 0.7, seed: 9 });
    await judge.ask("?");
    assertEquals([bodies[0].options.temperature, bodies[0].options.seed], [0.7, 9]);
    assertEquals([judge.settings.temperature, judge.settings.seed], [0.7, 9]);
  });
  assertThrows(() => ollamaJudge("x", { temperature: -1 }), RangeError, "temperature -1");
});

Deno.test("judgePrompt() holds the whole conversation, without the answer that is the reference", () => {
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "I like red." },
    { role: "assistant", content: "Noted." },
    { role: "user", content: "Which fruit then?" },
    { role: "assistant", content: "An apple." },
  ];
  const entry = { ...answered("A cherry.")[0], instruction: "Which fruit then?", messages };
  const prompt = judgePrompt(entry);
  assert(
    prompt.startsWith(
      "Given the input `System: Be brief.\n\nUser: I like red.\n\nAssistant: Noted.\n\nUser: Which fruit then?` " +
        "and correct output `An apple.`, score the model response `A cherry.`",
    ),
    prompt,
  );
});

Deno.test("judgeResponses() shows what it understood, and asks by criteria", async () => {
  const judge = judgeBy((prompt) => prompt.includes("clarity") ? "**70/100**" : "90");
  const question = criterionQuestion("clarity");
  const clarity = await judgeResponses(answered("A pear."), judge, { question });
  assertEquals(clarity.understood, [{ reply: "**70/100**", score: 70, count: 1 }]);
  const format = await judgeResponses(answered("A pear."), judge, {
    question: criterionQuestion("format"),
  });
  assertEquals([clarity.average, format.average, format.understood], [70, 90, []]);
  assert(clarity.signature !== format.signature);
  assertEquals(
    new Set(CRITERION_NAMES.map((one) => criterionQuestion(one).prompt(answered("x")[0]))).size,
    7,
  );
  assertThrows(
    () => criterionQuestion("beauty" as never),
    RangeError,
    "expected one of correctness",
  );
});

Deno.test("MT-Bench's question has its own scale, and shows the correct answer for maths only", async () => {
  const judge = judgeBy(() => "It is helpful, 10 of 10 in style.\n\nRating: [[7]]");
  const { average } = await judgeResponses(answered("A pear."), judge, {
    question: MT_BENCH_SINGLE,
  });
  assertEquals(average, 7);
  assert(!judge.asked[0].includes("An apple."), judge.asked[0]);
  const maths = { ...answered("A pear.")[0], category: "math" };
  assert(MT_BENCH_SINGLE.prompt(maths).includes("[Correct answer]\nAn apple."));
  assert(MT_BENCH_PAIR.prompt(maths, "x", "y").includes("[Assistant B]\ny"));
  const outside = await judgeResponses(answered("A pear."), judgeBy(() => "Rating: [[70]]"), {
    question: MT_BENCH_SINGLE,
  });
  assertEquals([outside.scored, outside.unparsable], [0, 1]);
});

Deno.test("readChoice() reads a choice as people write it", () => {
  const replies = [
    "A",
    '"A"',
    "**A**",
    "[[A]]",
    "Response A",
    "Assistant A is better.",
    "Verdict: A",
  ];
  replies.push("<think>B, no.</think>A", "Both are fine, but response A is slightly better.");
  for (const reply of replies) assertEquals(readChoice(reply), "A", reply);
  for (const reply of ["tie", "[[C]]", '"tie"']) assertEquals(readChoice(reply), "tie", reply);
  for (const reply of ["", "Neither", "[[A]] or [[B]]", "A good answer."]) {
    assertEquals(readChoice(reply), undefined, reply);
  }
});

Deno.test("judgePairs() asks in both orders: a judge of the first place decides nothing", async () => {
  const a = answered(...Array.from({ length: 9 }, () => "A pear."));
  const b = answered(...Array.from({ length: 9 }, () => "Rust."));
  const first = await judgePairs(a, b, judgeBy(() => "A"));
  assertEquals([first.ties, first.consistency, first.winner], [9, 0, "tied"]);
  const fair = await judgePairs(
    a,
    b,
    judgeBy((prompt) => prompt.indexOf("pear") < prompt.indexOf("Rust") ? "A" : "[[B]]"),
  );
  assertEquals([fair.a, fair.b, fair.ties, fair.consistency, fair.winner], [9, 0, 0, 1, "a"]);
  assertEquals(fair.p, 2 ** -8);
  const silent = { ...judgeBy(() => ""), ask: () => Promise.reject(new JudgeError("timeout", "")) };
  const failed = await judgePairs(a, b, silent);
  assertEquals([failed.failed, failed.problems], [9, [{ message: "", count: 18 }]]);
  assertEquals(pairVerdict(failed, ["a", "b"]), "no verdict on any pair");
  const vague = await judgePairs(a, b, judgeBy((prompt) => prompt.includes("pear") ? "Hm." : "A"));
  const message = "The judge's reply names neither A nor B nor a tie, or several of them";
  assertEquals(vague.problems, [{ message, count: 18 }]);
  assertEquals(
    [first, fair].map((one) => [one.problems.length, pairVerdict(one, ["pear", "rust"])]),
    [[0, "tied"], [0, "pear is better"]],
  );
  await assertRejects(() => judgePairs(a, [], silent), RangeError, "9 and 0");
});

Deno.test("judgeWithSeeds() tells the spread of averages and of each response's scores", async () => {
  const judgeOf = (seed: number) =>
    judgeBy((prompt) => `${prompt.includes("pear") ? 50 + seed : 90}`, { seed });
  const report = await judgeWithSeeds(answered("A pear.", "A plum."), judgeOf, [0, 10, 20]);
  assertEquals([report.average, report.spread, report.eachSpread], [75, 5, 5]);
  await assertRejects(() => judgeWithSeeds([], judgeOf, []), RangeError, "without a seed");
});

Deno.test("cachedJudge() asks no question twice, and another judge's replies are not its own", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const entries = answered("A pear.", "A plum.");
    const once = judgeBy(() => "80", { seed: 1 });
    const first = await judgeResponses(entries, cachedJudge(once, folder));
    const never = judgeBy(() => "10", { seed: 1 });
    assertEquals(await judgeResponses(entries, cachedJudge(never, folder)), first);
    assertEquals([once.asked.length, never.asked.length], [2, 0]);
    const other = judgeBy(() => "10", { seed: 2 });
    assertEquals((await judgeResponses(entries, cachedJudge(other, folder))).average, 10);
    const digest = () => Promise.resolve("new weights");
    const newer = cachedJudge({ ...judgeBy(() => "20", { seed: 1 }), digest }, folder);
    assertEquals((await judgeResponses(entries, newer)).average, 20);
    const [file] = [...Deno.readDirSync(folder)];
    const kept = JSON.parse(await Deno.readTextFile(`${folder}/${file.name}`));
    assert(kept.prompt.includes("Name a fruit."), "the question is there in full");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openAiJudge() asks /chat/completions, and names its failures", async () => {
  const completion = (content: string | null, more = {}, finish_reason = "stop") => ({
    choices: [{ message: { role: "assistant", content, ...more }, finish_reason }],
  });
  await withServer((body, path, request) => {
    assertEquals(path, "/v1/chat/completions");
    assertEquals(request.headers.get("authorization"), "Bearer secret");
    return completion(body.messages[0].content.includes("pear") ? "**85**/100" : "7");
  }, async (host, bodies) => {
    const judge = openAiJudge("qwen3", { url: `http://${host}/v1/`, key: "secret", seed: 4 });
    const { average, understood, signature } = await judgeResponses(
      answered("A pear.", "A plum."),
      judge,
    );
    assertEquals([average, understood[0].score], [46, 85]);
    assertEquals([bodies[0].model, bodies[0].temperature, bodies[0].seed], ["qwen3", 0, 4]);
    assert(!signature.includes("secret"));
  });
  const failures: [unknown, string, string][] = [
    [completion(null, { reasoning_content: "Hm" }, "length"), "", ""],
    [
      Response.json({ error: { message: "no such model" } }, { status: 404 }),
      "model-missing",
      "no such model",
    ],
    [
      Response.json({ error: { message: "maximum context" } }, { status: 400 }),
      "prompt-too-long",
      "context",
    ],
    [
      new Response("Bad gateway\n<html>", { status: 502 }),
      "server-error",
      "status 502: Bad gateway",
    ],
    [new Response("{"), "bad-answer", "not JSON"],
    [{}, "bad-answer", "holds no message"],
  ];
  for (const [answer, reason, message] of failures) {
    await withServer(() => answer instanceof Response ? answer.clone() : answer, async (host) => {
      const { outcomes: [outcome] } = await judgeResponses(
        answered("A pear."),
        openAiJudge("m", { url: `http://${host}` }),
      );
      if (reason === "") {
        assert(outcome.status === "unparsable" && outcome.message.includes("thinking"));
      } else {assert(
          outcome.status === "failed" && outcome.reason === reason,
          JSON.stringify(outcome),
        );}
      if (outcome.status === "failed") assert(outcome.message.includes(message), outcome.message);
    });
  }
  await withServer((body) =>
    body.max_tokens <= 1024 ? completion("7") : Response.json({
      error: { message: 'Cannot write 2048 tokens: expected at most 1024 as "max_tokens"' },
    }, { status: 400 }), async (host, bodies) => {
    const judge = openAiJudge("m", { url: `http://${host}` });
    const { average } = await judgeResponses(answered("A pear.", "A plum."), judge);
    assertEquals(average, 7);
    assertEquals(bodies.map(({ max_tokens }) => max_tokens), [2048, 256, 256]);
  });
  const gone = await judgeResponses(
    answered("A pear."),
    openAiJudge("m", { url: "http://127.0.0.1:9" }),
  );
  assertEquals(gone.problems[0].message, 'Cannot reach the judge at "http://127.0.0.1:9"');
  assertThrows(() => openAiJudge("m", { url: "nowhere" }), TypeError, "OPENAI_BASE_URL");
  assertEquals(parseJudge("openai:m", { url: "http://127.0.0.1:9" }).name, "openai:m");
});

Deno.test("judgeCard() shows a judge that likes length and the first place, and one that agrees with people", async () => {
  const words = (n: number) => Array.from({ length: n }, (_, i) => `w${i}`).join(" ");
  const entries = [10, 20, 40].map((n, i) => ({
    ...ENTRY,
    output: `Answer ${i}.`,
    model_response: words(n),
  }));
  const wordy = judgeBy((prompt) => {
    if (prompt.includes("Response A")) return "A";
    const response = /score the model response `([^`]*)`/.exec(prompt)![1];
    return `${response.split(" ").length}`;
  });
  const other = entries.map((entry) => ({ ...entry, model_response: "none" }));
  const card = await judgeCard(wordy, entries, { other, human: [1, 2, 3] });
  assertAlmostEquals(card.lengthSlope!, 100, 1e-9);
  assertEquals([card.orderConsistency, card.agreement, card.trust.gap], [0, 1, 0]);
  await assertRejects(
    () => judgeCard(wordy, entries, { human: [1] }),
    RangeError,
    "1 human scores",
  );
});

Deno.test("cohenKappa() is scikit-learn's, spearman() scipy's", () => {
  for (const { a, b, kappa, spearman: rho } of golden.raters) {
    assertAlmostEquals(cohenKappa(a, b), kappa, 1e-9);
    assertAlmostEquals(spearman(a, b), rho, 1e-9);
  }
  assertThrows(() => cohenKappa([1], []), RangeError, "1 with 0 ratings");
});
