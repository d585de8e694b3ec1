// Filters of a served model: nothing that they object to reaches the model, the client or the log.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import OpenAI from "openai";
import {
  blockListFilter,
  domainFilter,
  type FilterRule,
  personalDataFilter,
} from "../../lib/eval/mod.ts";
import type { Model } from "../../lib/pipeline/mod.ts";
import { type ServedRequest, serveModel } from "../../lib/serve/mod.ts";
import { DOMAIN } from "../eval/safety_set.ts";
import { loadNano } from "../pipeline/nano.ts";

const FRUIT = "Name a fruit.";
const user = (content: string) => [{ role: "user" as const, content }];

/** Serves a model with filters while `use` asks it. */
async function withServer(
  model: Model,
  filters: readonly FilterRule[],
  use: (served: { url: string; openai: OpenAI; log: ServedRequest[] }) => Promise<void>,
): Promise<void> {
  const log: ServedRequest[] = [];
  const server = serveModel(model, { filters, onRequest: (request) => log.push(request) });
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  try {
    await use({ url: server.url, openai, log });
  } finally {
    await server.close();
  }
}

const generate = (url: string, prompt: string, more: object = {}) =>
  fetch(`${url}/api/generate`, {
    method: "POST",
    body: JSON.stringify({ model: "nano", prompt, options: { num_predict: 8 }, ...more }),
  });

Deno.test("a refused prompt gets a sentence and a code, a masked one is answered as if it was asked so", async () => {
  using model = await loadNano();
  const filters: FilterRule[] = [
    { filter: personalDataFilter(), action: "mask" },
    { filter: blockListFilter(["casino"]), action: "refuse" },
  ];
  let expected = "";
  const masked = "Is [EMAIL] a fruit?";
  await withServer(model, [], async ({ url }) => {
    expected = (await (await generate(url, masked, { stream: false })).json()).response;
  });
  await withServer(model, filters, async ({ url, openai, log }) => {
    const asked = "Is ana@example.org a fruit?";
    const answer = await (await generate(url, asked, { stream: false })).json();
    assertEquals(answer.response, expected);
    const error = await assertRejects(
      () =>
        openai.chat.completions.create({
          model: "nano",
          messages: user("A Casino, ana@example.org"),
        }),
      OpenAI.BadRequestError,
    );
    assertEquals([error.code, error.param], ["content_filter", "messages"]);
    assertStringIncludes(error.message, 'Cannot answer: the prompt has "casino", which is blocked');
    const raw = await generate(url, "casino", { raw: true });
    assertEquals([raw.status, await raw.json()], [400, {
      error: 'Cannot answer: the prompt has "casino", which is blocked',
    }]);
    assertEquals(log.map(({ status }) => status), [200, 400, 400]);
    assertEquals(log[0].ask, { messages: user(masked) });
    assertEquals(log[1].ask, { messages: user("A [BLOCKED], [EMAIL]") });
    assertEquals(log[2].ask, { text: "[BLOCKED]" });
    assertEquals(log[0].filtered?.map(({ of, message, start, end }) => [of, message, start, end]), [
      ["prompt", 0, 3, 18],
    ]);
    assert(!JSON.stringify(log).includes("ana@"));
  });
  model.device.close();
});

Deno.test("every message is read, and the last of the user only for its domain", async () => {
  using model = await loadNano();
  const filters: FilterRule[] = [
    { filter: blockListFilter(["casino"]), action: "refuse" },
    { filter: domainFilter(DOMAIN), action: "refuse" },
  ];
  await withServer(model, filters, async ({ url }) => {
    const ask = async (...contents: string[]) => {
      const roles = ["user", "assistant"];
      const messages = contents.map((content, i) => ({ role: roles[i % 2], content }));
      const response = await fetch(`${url}/api/chat`, {
        method: "POST",
        body: JSON.stringify({
          model: "nano",
          messages,
          stream: false,
          options: { num_predict: 2 },
        }),
      });
      const json = await response.json();
      // The embedded model's form has no place for an earlier turn, and says so once the filters have let it pass.
      return json.error ?? "answered";
    };
    assertEquals(await ask("Where is my parcel?"), "answered");
    assertStringIncludes(
      await ask("What is the capital of Peru?"),
      "is outside the domain: its similarity",
    );
    assertStringIncludes(
      await ask("Where is my parcel?", "In a casino.", "Where is my parcel?"),
      "blocked",
    );
    const earlier = await ask("What is the capital of Peru?", "No.", "Where is my parcel?");
    assert(!earlier.includes("domain"), earlier);
  });
  model.device.close();
});

Deno.test("an answer is sent once it is checked: masked, or refused with 422, streamed or whole", async () => {
  using model = await loadNano();
  let plain = "";
  await withServer(model, [], async ({ url }) => {
    plain = (await (await generate(url, FRUIT, { stream: false })).json()).response;
  });
  const word = /\p{L}{3,}/u.exec(plain)![0];
  const filter = blockListFilter([word]);
  const masked = plain.replace(new RegExp(`(?<!\\p{L})${word}(?!\\p{L})`, "giu"), "[BLOCKED]");
  assert(masked !== plain, plain);
  await withServer(model, [{ filter, action: "mask" }], async ({ url, openai, log }) => {
    const lines = (await (await generate(url, FRUIT)).text()).trim().split("\n")
      .map((line) => JSON.parse(line));
    assertEquals(lines.map(({ response, done }) => [response, done]), [[masked, false], [
      "",
      true,
    ]]);
    const whole = await (await generate(url, FRUIT, { stream: false })).json();
    assertEquals([whole.response, whole.done], [masked, true]);
    const { choices: [{ message }] } = await openai.chat.completions.create({
      ...{ model: "nano", messages: user(FRUIT), max_tokens: 8 },
    });
    assertEquals(message.content, masked);
    assertEquals(log.map(({ answer }) => answer), [masked, masked, masked]);
    assertEquals(log[0].filtered?.[0].of, "answer");
  });
  await withServer(model, [{ filter, action: "refuse" }], async ({ url, openai, log }) => {
    for (const stream of [true, false]) {
      const response = await generate(url, FRUIT, { stream });
      assertEquals([response.status, (await response.json()).error], [
        422,
        `Cannot show the answer: it has "${word}", which is blocked`,
      ]);
    }
    const error = await assertRejects(
      () =>
        openai.chat.completions.create({
          model: "nano",
          messages: user(FRUIT),
          max_tokens: 8,
          stream: true,
        }),
      OpenAI.UnprocessableEntityError,
    );
    assertEquals(error.code, "content_filter");
    assertEquals(log.map(({ status, answer }) => [status, answer]), Array(3).fill([422, masked]));
  });
  model.device.close();
});

Deno.test("rules that cannot be followed are refused before the first request", async () => {
  using model = await loadNano();
  const filters: FilterRule[] = [{ filter: domainFilter(DOMAIN), action: "mask" }];
  assertThrows(() => serveModel(model, { filters }), RangeError, 'expected the action "refuse"');
  model.device.close();
});
