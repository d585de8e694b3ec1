// The clients that people have, npm's `ollama` and `openai`, against the server; and clients that do it wrong.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Ollama } from "ollama";
import OpenAI from "openai";
import type { Model } from "../../lib/pipeline/mod.ts";
import { type ModelServer, type ServedRequest, serveModel } from "../../lib/serve/mod.ts";
import type { ServeOptions } from "../../lib/serve/server.ts";
import { Tensor } from "../../lib/tensor/mod.ts";
import { loadNano } from "../pipeline/nano.ts";

/** A server of the embedded model, and what it noted of its requests. */
class Served implements AsyncDisposable {
  readonly log: ServedRequest[] = [];
  readonly server: ModelServer;
  readonly ollama: Ollama;
  readonly openai: OpenAI;

  private constructor(readonly model: Model, options: ServeOptions) {
    this.server = serveModel(model, {
      ...options,
      onRequest: (request) => this.log.push(request),
    });
    this.ollama = new Ollama({ host: this.server.url });
    this.openai = new OpenAI({ baseURL: `${this.server.url}/v1`, apiKey: "none", maxRetries: 0 });
  }

  static async start(options: ServeOptions = {}): Promise<Served> {
    return new Served(await loadNano(), options);
  }

  post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return fetch(this.server.url + path, { method: "POST", body: text, ...init });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    this.model[Symbol.dispose]();
    this.model.device.close();
  }
}

const user = (content: string) => [{ role: "user" as const, content }];
const FRUIT = "Name a fruit.";

Deno.test("Ollama's client chats, generates and asks about the model", async () => {
  await using served = await Served.start();
  const { ollama, model } = served;
  const options = { num_predict: 6 };
  const expected = await model.answer(FRUIT, { maxNewTokens: 6 });

  const chat = await ollama.chat({ model: "nano", messages: user(FRUIT), options });
  assertEquals(chat.message, { role: "assistant", content: chat.message.content });
  assertEquals(chat.message.content.trim(), expected);
  assertEquals(chat.prompt_eval_count, model.encodePrompt(FRUIT).length);
  assert(chat.done && chat.total_duration > 0 && ["stop", "length"].includes(chat.done_reason));

  let streamed = "";
  let last;
  for await (
    const part of await ollama.generate({
      model: "nano:latest",
      prompt: FRUIT,
      stream: true,
      options,
    })
  ) {
    streamed += part.response;
    last = part;
  }
  assertEquals(streamed, chat.message.content);
  assertEquals([last!.eval_count, last!.done_reason], [chat.eval_count, chat.done_reason]);

  const { models: [listed] } = await ollama.list();
  assertEquals([listed.name, listed.details.family, listed.digest.length], [
    "nano:latest",
    "gpt2",
    64,
  ]);
  const shown = await ollama.show({ model: "nano" });
  assertEquals(shown.capabilities, ["completion"]);
  assertEquals(
    (shown.model_info as unknown as Record<string, number>)["gpt2.context_length"],
    model.network.contextLength,
  );
  assertStringIncludes(shown.template, "### Instruction:");
  const { models: [running] } = await ollama.ps();
  assertEquals(running.digest, listed.digest);
  const { done_reason } = await ollama.generate({ model: "nano", prompt: "" });
  assertEquals(done_reason, "load");
});

Deno.test("a raw prompt is continued as it is", async () => {
  await using served = await Served.start();
  const { ollama, model } = served;
  const prompt = "Below is an instruction";
  const { response, prompt_eval_count } = await ollama.generate({
    model: "nano",
    prompt,
    raw: true,
    options: { num_predict: 5 },
  });
  assertEquals(prompt_eval_count, model.tokenizer.encode(prompt).length);
  assert(response!.length > 0);
});

Deno.test("OpenAI's client completes chats, as a whole and streamed", async () => {
  await using served = await Served.start();
  const { openai, model } = served;
  const request = { model: "nano", messages: user(FRUIT), max_tokens: 6 };
  const whole = await openai.chat.completions.create(request);
  const [{ message, finish_reason }] = whole.choices;
  assertEquals(message.content!.trim(), await model.answer(FRUIT, { maxNewTokens: 6 }));
  assertEquals(
    whole.usage!.total_tokens,
    whole.usage!.prompt_tokens + whole.usage!.completion_tokens,
  );

  let streamed = "";
  const reasons: (string | null)[] = [];
  let usage;
  const stream = await openai.chat.completions.create({
    ...request,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const { choices: [choice], usage: used } of stream) {
    streamed += choice?.delta.content ?? "";
    if (choice) reasons.push(choice.finish_reason);
    usage = used;
  }
  assertEquals([streamed, usage], [message.content, whole.usage]);
  assertEquals(reasons.filter(Boolean), [finish_reason]);

  // Parts of a message are one text, and a developer's message is a system message, which Alpaca's prompt has not.
  const parts = FRUIT.split(" ").map((word, i) => ({
    type: "text" as const,
    text: i === 0 ? word : ` ${word}`,
  }));
  const again = await openai.chat.completions.create({
    ...request,
    messages: [{ role: "user", content: parts }],
  });
  assertEquals(again.choices[0].message.content, message.content);
  const { data: [listed] } = await openai.models.list();
  assertEquals((await openai.models.retrieve("nano")).id, listed.id);
});

Deno.test("an answer ends before a stop string, however it is cut into tokens", async () => {
  await using served = await Served.start();
  const { ollama, openai } = served;
  const options = { num_predict: 8 };
  const ask = { model: "nano", messages: user("What is the plural of fox?") };
  const { message: { content } } = await ollama.chat({ ...ask, options });
  assert(content.length > 8, content);
  const stop = content.slice(5, 8);
  const before = content.slice(0, content.indexOf(stop));
  const short = await ollama.chat({ ...ask, options: { ...options, stop: [stop, "never"] } });
  assertEquals([short.message.content, short.done_reason], [before, "stop"]);
  let streamed = "";
  for await (
    const { choices: [choice] } of await openai.chat.completions.create({
      ...ask,
      max_tokens: 8,
      stop,
      stream: true,
    })
  ) streamed += choice.delta.content ?? "";
  assertEquals(streamed, before);
});

Deno.test("a seed repeats an answer, no seed is a new one that the log names", async () => {
  await using served = await Served.start();
  const { ollama, log } = served;
  const ask = { model: "nano", prompt: FRUIT };
  const options = { temperature: 3, num_predict: 6 };
  const texts = await Promise.all(
    [5, 5, undefined, undefined].map(async (seed) =>
      (await ollama.generate({ ...ask, options: { ...options, ...(seed && { seed }) } })).response
    ),
  );
  assertEquals(texts[0], texts[1]);
  assert(texts[2] !== texts[3]);
  const { settings, answer } = log.find(({ answer }) => answer === texts[2])!;
  const repeated = await ollama.generate({
    ...ask,
    options: { ...options, seed: settings!.seed },
  });
  assertEquals(repeated.response, answer);
});

Deno.test("what cannot be honoured is named and refused", async () => {
  await using served = await Served.start({ maxNewTokens: 32, maxBytes: 2000 });
  const { server, openai, ollama } = served;
  const chat = { model: "nano", messages: user("Hi") };
  const long = "word ".repeat(300);
  const wrong: [string, unknown, number, string][] = [
    ["/api/chat", "{", 400, "its body is not JSON"],
    ["/api/chat", "", 400, "its body is empty"],
    ["/api/chat", [], 400, "Cannot read the request: expected object"],
    ["/api/chat", { messages: [] }, 400, 'Cannot read "model": expected string'],
    ["/api/chat", { ...chat, model: "llama3" }, 404, 'the model "llama3": this server has "nano"'],
    ["/api/chat", { ...chat, tools: [{}] }, 400, 'Cannot read "tools"'],
    ["/api/chat", { ...chat, options: { tfs_z: 0.5 } }, 400, '"options.tfs_z"'],
    ["/api/chat", { ...chat, options: { topp: 0.1 } }, 400, 'Cannot honour "options.topp"'],
    ["/api/chat", { ...chat, options: { temperature: -1 } }, 400, '"options.temperature"'],
    ["/api/chat", { ...chat, options: { num_predict: 33 } }, 400, "expected at most 32"],
    ["/api/chat", { ...chat, format: "json" }, 400, '"format"'],
    ["/api/chat", { ...chat, messages: user(long) }, 400, "tokens: the context holds"],
    ["/api/chat", { ...chat, messages: user("long ".repeat(500)) }, 413, "expected at most 2000"],
    ["/api/chat", { ...chat, options: { num_ctx: 8 } }, 400, "the context holds 8"],
    [
      "/api/chat",
      { ...chat, messages: [{ role: "system", content: "Be brief." }, ...chat.messages] },
      400,
      "only user and assistant speak in this format",
    ],
    ["/api/chat", { ...chat, messages: [{ role: "assistant", content: "" }] }, 400, "last message"],
    ["/api/generate", { model: "nano", prompt: "a", suffix: "b" }, 400, '"suffix"'],
    ["/api/generate", { model: "nano", keep_alive: 0 }, 400, "Cannot unload"],
    ["/api/embed", { model: "nano" }, 404, 'Cannot find "/api/embed"'],
    ["/api/tags", {}, 405, "expected GET"],
    ["/v1/chat/completions", { ...chat, n: 2 }, 400, '"n"'],
    ["/v1/chat/completions", { ...chat, messages: [] }, 400, '"messages"'],
    ["/v1/chat/completions", { ...chat, stop: Array(17).fill("a") }, 400, "at most 16"],
    ["/v1/chat/completions", { ...chat, max_tokens: 1, max_completion_tokens: 1 }, 400, "give one"],
    ["/v1/chat/completions", { ...chat, max_tokens: 0 }, 400, 'Cannot read "max_tokens": expected'],
  ];
  for (const [path, body, status, message] of wrong) {
    const response = await served.post(path, body);
    const { error } = await response.json();
    const text = path.startsWith("/v1") ? error.message : error;
    assertEquals([response.status, String(text).includes(message)], [status, true], text);
  }
  // As the clients show it.
  const refusal = await assertRejects(
    () => openai.chat.completions.create({ model: "gpt-4o", messages: user("Hi") }),
    OpenAI.NotFoundError,
    'the model "gpt-4o"',
  );
  assertEquals([refusal.code, refusal.param], ["model_not_found", "model"]);
  await assertRejects(
    () => ollama.chat({ model: "gpt", messages: user("Hi") }),
    Error,
    'the model "gpt"',
  );
  // Values that ask for nothing pass.
  const neutral = await served.post("/v1/chat/completions", {
    ...chat,
    max_tokens: 1,
    n: 1,
    frequency_penalty: 0,
    logit_bias: {},
    tools: [],
    response_format: { type: "text" },
    user: "me",
  });
  assertEquals(neutral.status, 200);
  await neutral.body!.cancel();
  // Penalties and min-p are those of Model.answer().
  const steered = await served.post("/v1/chat/completions", {
    ...chat,
    ...{ max_tokens: 8, temperature: 2, min_p: 0.01, presence_penalty: 1, seed: 3, stream: false },
    ...{ frequency_penalty: 0.5, repetition_penalty: 1.5 },
  });
  const { choices: [{ message }] } = await steered.json();
  const expected = await served.model.answer("Hi", {
    ...{ maxNewTokens: 8, temperature: 2, minP: 0.01, presencePenalty: 1, seed: 3 },
    ...{ frequencyPenalty: 0.5, repetitionPenalty: 1.5 },
  });
  assertEquals(message.content.trim(), expected);
  // A page of another site gets nothing, one of this machine may ask.
  const foreign = await served.post("/api/chat", chat, {
    headers: { origin: "https://evil.test" },
  });
  assertEquals([foreign.status, await foreign.json()], [403, {
    error: 'Cannot answer: the request comes from a page of "https://evil.test"',
  }]);
  const local = await fetch(`${server.url}/api/version`, {
    headers: { origin: "http://localhost:8888" },
  });
  assertEquals(local.headers.get("access-control-allow-origin"), "http://localhost:8888");
  await local.body!.cancel();
});

Deno.test("a name that was made to lead here gets nothing", async () => {
  await using served = await Served.start();
  const { hostname, port } = new URL(served.server.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(
    new TextEncoder().encode(
      "GET /api/tags HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n",
    ),
  );
  const text = await new Response(connection.readable).text().catch(() => "");
  assertStringIncludes(text, "421 ");
});

Deno.test("50 requests at once, some of them faulty: each is answered or told why not", async () => {
  await using served = await Served.start({ parallel: 8 });
  const { ollama, openai, model, log } = served;
  const asked = Array.from({ length: 50 }, (_, i) => `Repeat the number ${i}.`);
  const expected = await model.answer(asked, { maxNewTokens: 4 });
  const ways: ((i: number) => Promise<string>)[] = [
    async (i) =>
      (await ollama.chat({ model: "nano", messages: user(asked[i]), options: { num_predict: 4 } }))
        .message.content,
    async (i) => {
      let text = "";
      const messages = user(asked[i]);
      const stream = await openai.chat.completions.create(
        { model: "nano", messages, max_tokens: 4, stream: true },
      );
      for await (const { choices: [{ delta }] } of stream) text += delta.content ?? "";
      return text;
    },
    async (i) => {
      const messages = user(asked[i]);
      const { choices } = await openai.chat.completions.create(
        { model: "nano", messages, max_tokens: 4 },
      );
      return choices[0].message.content!;
    },
    async (i) => {
      let text = "";
      const prompt = asked[i];
      const options = { num_predict: 4 };
      for await (
        const part of await ollama.generate({ model: "nano", prompt, stream: true, options })
      ) {
        text += part.response;
      }
      return text;
    },
    // and those that do it wrong
    async (i) => {
      const response = await served.post("/api/chat", `{"model": "nano", "messages": ${i}`);
      return `${response.status} ${(await response.json()).error}`;
    },
    async () => {
      const messages = user("word ".repeat(5000));
      return await openai.chat.completions.create({ model: "nano", messages })
        .then(() => "answered", (error) => `${error.status} ${error.message}`);
    },
    async () =>
      await ollama.chat({ model: "other", messages: user("Hi") })
        .then(() => "answered", (error) => `${error.status_code} ${error.message}`),
    async (i) => { // hangs up after the first piece
      const gone = new AbortController();
      const messages = user(asked[i]);
      const response = await served.post("/api/chat", { model: "nano", messages }, {
        signal: gone.signal,
      });
      const reader = response.body!.getReader();
      await reader.read();
      gone.abort();
      return await reader.read().then(() => "read on", () => "gone");
    },
    async (i) => { // hangs up while it waits
      const { hostname, port } = new URL(served.server.url);
      const body = JSON.stringify({ model: "nano", messages: user(asked[i]), stream: false });
      const connection = await Deno.connect({ hostname, port: Number(port) });
      await connection.write(
        new TextEncoder().encode(
          `POST /api/chat HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        ),
      );
      connection.close();
      return "gone";
    },
    async (i) =>
      (await ollama.generate({ model: "nano", prompt: asked[i], options: { num_predict: 4 } }))
        .response!,
  ];
  const faults: Record<number, string> = {
    4: "400 Cannot read the request: its body is not JSON",
    5: "400 400 Cannot answer a prompt of",
    6: '404 Cannot find the model "other"',
    7: "gone",
    8: "gone",
  };
  const got = await Promise.all(asked.map((_, i) => ways[i % ways.length](i)));
  for (const [i, text] of got.entries()) {
    const fault = faults[i % ways.length];
    if (fault === undefined) assertEquals(text.trim(), expected[i], asked[i]);
    else assertStringIncludes(text, fault);
  }
  // The server knows of each one, once.
  await served.server.close();
  assertEquals(log.length, 50);
  const statuses = Object.groupBy(log, ({ status }) => String(status));
  assertEquals(
    Object.fromEntries(Object.entries(statuses).map(([status, list]) => [status, list!.length])),
    { "200": 25, "400": 10, "404": 5, "499": 10 },
  );
  assert(log.filter(({ status }) => status === 200).every(({ finished }) => finished!.tokens >= 1));
});

Deno.test("one request more than may wait is refused at once, and one after the end", async () => {
  await using served = await Served.start({ parallel: 1, queue: 1 });
  const { ollama, server } = served;
  const ask = () =>
    ollama.generate({ model: "nano", prompt: FRUIT, options: { num_predict: 12 } })
      .then(({ response }) => response, (error) => String(error.status_code));
  const answers = await Promise.all([ask(), ask(), ask(), ask()]);
  assertEquals(answers.filter((answer) => answer === "503").length, 2);
  assertEquals(new Set(answers.filter((answer) => answer !== "503")).size, 1);
  const last = ask();
  while (served.log.length < 4) await new Promise((resolve) => setTimeout(resolve));
  await new Promise((resolve) => setTimeout(resolve, 20)); // it is on its way
  await server.close();
  assert((await last)!.length > 3, "what was asked before the end is answered");
});

Deno.test("a model that has diverged is an error to every client, and the server continues", async () => {
  await using served = await Served.start();
  const { model: { network, device }, openai } = served;
  const right = network.parameters.get("ln_f.bias")!;
  network.parameters.set("ln_f.bias", Tensor.from(device, new Float32Array(right.size).fill(NaN)));
  const request = { model: "nano", messages: user(FRUIT), max_tokens: 2 };
  for (const stream of [false, true]) {
    await assertRejects(
      async () => await openai.chat.completions.create({ ...request, stream }),
      OpenAI.InternalServerError,
      "the logit of token 0 is not a number",
    );
  }
  network.parameters.set("ln_f.bias", right);
  const { usage } = await openai.chat.completions.create(request);
  assertEquals(usage!.completion_tokens, 2);
});
