/** The Ollama judge against a stand-in server that fails in every way that Ollama does. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { JudgeError } from "../../lib/eval/judge.ts";
import type { JudgeFailure } from "../../lib/eval/outcome.ts";
import { parseJudge } from "../../lib/eval/judges/parse_judge.ts";
import { parseTeacher } from "../../lib/eval/judges/teacher.ts";
import { ollamaJudge, type OllamaJudgeOptions } from "../../lib/eval/ollama_judge.ts";

/** What Ollama 0.6.5 answers, with a difference. */
function answer(content: string, difference: Record<string, unknown> = {}): Response {
  return Response.json({
    model: "tiny",
    created_at: "2026-01-01T00:00:00Z",
    message: { role: "assistant", content },
    done: true,
    done_reason: "stop",
    prompt_eval_count: 59,
    eval_count: 4,
    ...difference,
  });
}

/** Runs a stand-in server while something asks it. */
async function withServer(
  handler: (request: Request) => Response | Promise<Response>,
  use: (host: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  try {
    await use(`127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

/** Runs a server that reads a request and answers with these bytes, then drops the connection. */
async function withRawServer(bytes: string, use: (host: string) => Promise<void>): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(65536));
      await connection.write(new TextEncoder().encode(bytes));
      connection.close();
    }
  })();
  try {
    await use(`127.0.0.1:${(listener.addr as Deno.NetAddr).port}`);
  } finally {
    listener.close();
    await served;
  }
}

async function assertFails(
  host: string,
  reason: JudgeFailure,
  message: string,
  options: OllamaJudgeOptions = {},
): Promise<void> {
  const error = await assertRejects(
    () => ollamaJudge("tiny", { host, ...options }).ask("How good?"),
    JudgeError,
  );
  assertEquals([error.reason, error.message], [reason, message]);
}

Deno.test("ollamaJudge() asks with temperature 0, seed and num_ctx as options, and a format", async () => {
  let asked: Record<string, unknown> = {};
  await withServer(async (request) => {
    assertEquals(new URL(request.url).pathname, "/api/chat");
    asked = await request.json();
    return answer("85\n");
  }, async (host) => {
    const judge = ollamaJudge("tiny", { host, seed: 7, numCtx: 512, options: { num_thread: 1 } });
    assertEquals(await judge.ask("How good?"), { reply: "85\n", cut: false });
    assertEquals(judge.name, "ollama:tiny");
    assertEquals(judge.settings, {
      host: `http://${host}`,
      seed: 7,
      numCtx: 512,
      temperature: 0,
    });
  });
  assertEquals(asked, {
    model: "tiny",
    messages: [{ role: "user", content: "How good?" }],
    stream: false,
    format: { type: "integer", minimum: 0, maximum: 100 },
    truncate: false,
    options: { num_thread: 1, temperature: 0, seed: 7, num_ctx: 512, num_predict: 16 },
  });
});

Deno.test("ollamaJudge() tells that a reply was cut", async () => {
  await withServer(() => answer("\n\n\n1", { done_reason: "length" }), async (host) => {
    assertEquals(await ollamaJudge("tiny", { host }).ask("?"), { reply: "\n\n\n1", cut: true });
  });
});

Deno.test("ollamaJudge() says that the server is absent, and how to start it", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const host = `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
  listener.close();
  await assertFails(
    host,
    "unreachable",
    `Cannot reach Ollama at "http://${host}": start it with "ollama serve", or set OLLAMA_HOST`,
  );
});

Deno.test("ollamaJudge() says that the model is missing, and how to get it", async () => {
  const said = ["model 'tiny' not found", 'model "tiny" not found, try pulling it first'];
  for (const error of said) {
    await withServer(() => Response.json({ error }, { status: 404 }), (host) =>
      assertFails(
        host,
        "model-missing",
        'Ollama has no model "tiny": get it with "ollama pull tiny"',
      ));
  }
});

Deno.test("ollamaJudge() never judges a prompt that was cut", async () => {
  const message = (why: string) =>
    `The prompt is longer than the tokens that Ollama was given room for (${why}), and a cut prompt ` +
    "is not judged: raise numCtx (--num-ctx)";
  // an older server cuts silently
  await withServer(
    () => answer("50", { prompt_eval_count: 512 }),
    (host) => assertFails(host, "prompt-too-long", message("it fills all 512"), { numCtx: 512 }),
  );
  // a newer one refuses
  const error = "the input length exceeds the context length";
  await withServer(
    () => Response.json({ error }, { status: 400 }),
    (host) => assertFails(host, "prompt-too-long", message(error)),
  );
});

Deno.test("ollamaJudge() takes no reply for whole that is not done", async () => {
  await withServer(
    () => answer("5", { done: false, done_reason: undefined }),
    (host) =>
      assertFails(
        host,
        "incomplete",
        "Ollama stopped before its reply was complete (done: false), as it does when a model " +
          "repeats itself",
      ),
  );
  await withServer(
    () => answer("", { done_reason: "load" }),
    (host) => assertFails(host, "incomplete", 'Ollama loaded "tiny" but gave no reply'),
  );
});

Deno.test("ollamaJudge() says that the connection was dropped, before, amid and after the headers", async () => {
  const beginnings = [
    "",
    "HTTP/1.1 200 OK\r\nContent-Ty",
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"model":"ti',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"model":\r\n',
  ];
  for (const bytes of beginnings) {
    await withRawServer(bytes, (host) =>
      assertFails(
        host,
        "dropped",
        "Ollama dropped the connection before it replied: the server may have crashed, its log " +
          "says why",
      ));
  }
});

Deno.test("ollamaJudge() repeats what the server said of its own failure", async () => {
  const error = "llama runner process has terminated: signal: aborted";
  await withServer(
    () => Response.json({ error }, { status: 500 }),
    (host) => assertFails(host, "server-error", `Ollama answered with status 500: ${error}`),
  );
  // not JSON, as from a proxy or a handler that panicked; nothing may reach the console
  const printed: unknown[] = [];
  const { log } = console;
  console.log = (...args: unknown[]) => printed.push(args);
  try {
    await withServer(
      () => new Response("Bad gateway\n<html>", { status: 502 }),
      (host) => assertFails(host, "server-error", "Ollama answered with status 502: Bad gateway"),
    );
    await withServer(
      () => new Response("404 page not found", { status: 404 }),
      (host) =>
        assertFails(host, "server-error", "Ollama answered with status 404: 404 page not found"),
    );
    await withServer(
      () => new Response("{", { status: 500, statusText: "Oh" }),
      (host) => assertFails(host, "server-error", "Ollama answered with status 500: {"),
    );
  } finally {
    console.log = log;
  }
  assertEquals(printed, []);
});

Deno.test("ollamaJudge() says that a response is not an answer", async () => {
  await withServer(() => new Response('{"message": {"content": "5'), async (host) => {
    const error = await assertRejects(() => ollamaJudge("tiny", { host }).ask("?"), JudgeError);
    assertEquals(error.reason, "bad-answer");
    assert(error.message.startsWith("Ollama's answer is not JSON: "), error.message);
  });
  for (const body of ["{}", "null", "[]", '{"message":{"content":7},"done":true}']) {
    await withServer(
      () => new Response(body),
      (host) => assertFails(host, "bad-answer", "Ollama's answer holds no message"),
    );
  }
});

Deno.test("ollamaJudge() waits no longer than it may, and stops when told", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<Response>();
  await withServer(() => (asked.resolve(), release.promise), async (host) => {
    await assertFails(host, "timeout", "Ollama did not reply within 0.05 s", { timeout: 50 });
    const controller = new AbortController();
    const stopped = ollamaJudge("tiny", { host }).ask("?", controller.signal);
    await asked.promise;
    controller.abort(new DOMException("Stopped", "AbortError"));
    await assertRejects(() => stopped, DOMException, "Stopped");
    release.resolve(answer("1"));
  });
});

Deno.test("parseJudge() reads a judge's name", () => {
  const host = "127.0.0.1:1";
  assertEquals(parseJudge("ollama:llama3:8b", { host }).name, "ollama:llama3:8b");
  for (const spec of ["llama3", "ollama:", "openai:", "ollama:a b"]) {
    const error = assertThrows(() => parseJudge(spec, { host }), RangeError);
    assertEquals(
      error.message,
      `Cannot use the judge "${spec}": give "ollama:MODEL", as "ollama:llama3"`,
    );
  }
});

Deno.test("parseTeacher() asks Ollama with a seed and a form for each request, and gives no cut reply", async () => {
  const asked: any[] = [];
  await withServer(async (request) => {
    asked.push(await request.json());
    return answer('["Say a colour."]', asked.length === 2 ? { done_reason: "length" } : {});
  }, async (host) => {
    const teacher = parseTeacher("ollama:tiny", { host, temperature: 0.7 });
    const schema = { type: "array" };
    const request = { prompt: "Reword.", maxTokens: 32 };
    assertEquals(await teacher.ask({ ...request, schema, seed: 5 }), '["Say a colour."]');
    assertEquals(await teacher.ask({ ...request, seed: 6 }), undefined);
    assertEquals(teacher.name, "ollama:tiny");
    const of = ({ options, format }: any) => [
      ...[options.seed, options.temperature, options.num_predict, format],
    ];
    assertEquals(asked.map(of), [[5, 0.7, 32, schema], [6, 0.7, 32, undefined]]);
  });
  assertThrows(() => parseTeacher("llama3"), RangeError, 'the judge "llama3"');
});
