/** Giving a model to Ollama, against a stand-in server that refuses and breaks off as Ollama does. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { createOllamaModel } from "../../lib/weights/ollama_create.ts";
import { TemporaryDirectory } from "./temporary.ts";

const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => i * i >> 5);
const DIGEST = `sha256:${createHash("sha256").update(BYTES).digest("hex")}`;

interface Asked {
  method: string;
  path: string;
  body: Uint8Array;
}

/** A server that has no blobs until they are sent; `change` may answer differently. */
async function withServer(
  test: (server: { host: string; asked: Asked[]; gguf: string }) => Promise<void>,
  change: (asked: Asked) => Response | undefined = () => undefined,
): Promise<void> {
  using temporary = new TemporaryDirectory();
  const asked: Asked[] = [];
  const blobs = new Set<string>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname;
    const one = { method: request.method, path, body: await request.bytes() };
    asked.push(one);
    const changed = change(one);
    if (changed) return changed;
    if (request.method === "HEAD") {
      return new Response(null, { status: blobs.has(path) ? 200 : 404 });
    }
    if (path.startsWith("/api/blobs/")) {
      // as the real one, which breaks off
      if (blobs.has(path)) return new Response("blob exists", { status: 500 });
      blobs.add(path);
      return new Response(null, { status: 201 });
    }
    return Response.json({ status: "success" });
  });
  try {
    const gguf = temporary.file("model.gguf", BYTES);
    await test({ host: `127.0.0.1:${server.addr.port}`, asked, gguf });
  } finally {
    await server.shutdown();
  }
}

Deno.test("createOllamaModel() sends a file once, then a model that names it", () =>
  withServer(async ({ host, asked, gguf }) => {
    const seen: number[] = [];
    const parameters = { stop: ["</s>"], temperature: 0 };
    const options = { host, template: "{{ .Prompt }}", parameters };
    await createOllamaModel("tiny", {
      ...options,
      gguf,
      onProgress: (done, total) => seen.push(done / total),
    });
    assertEquals(asked.map(({ method, path }) => `${method} ${path}`), [
      `HEAD /api/blobs/${DIGEST}`,
      `POST /api/blobs/${DIGEST}`,
      "POST /api/create",
    ]);
    assertEquals(asked[1].body, BYTES);
    assertEquals(seen.at(-1), 1);
    assertEquals(JSON.parse(new TextDecoder().decode(asked[2].body)), {
      model: "tiny",
      files: { "model.gguf": DIGEST },
      template: "{{ .Prompt }}",
      parameters,
      stream: false,
    });

    asked.length = 0;
    const written = { path: gguf, bytes: BYTES.length, sha256: DIGEST.slice(7) };
    await createOllamaModel("tuned", { host, from: "tiny", adapter: written });
    assertEquals(asked.map(({ method }) => method), ["HEAD", "POST"], "it has the blob");
    assertEquals(JSON.parse(new TextDecoder().decode(asked[1].body)), {
      model: "tuned",
      from: "tiny",
      adapters: { "adapter.gguf": DIGEST },
      stream: false,
    });
  }));

Deno.test("createOllamaModel() says what Ollama says", async () => {
  const refusals: [path: RegExp, response: () => Response, message: string][] = [
    [
      /create/,
      () => Response.json({ error: "invalid model name" }, { status: 400 }),
      "answered with status 400: invalid model name",
    ],
    [/create/, () => new Response("<html>", { status: 502 }), "answered with status 502: <html>"],
    [/create/, () => Response.json({ status: "half" }), 'Ollama ends with "half"'],
    [/blobs/, () => new Response(null, { status: 507 }), "answered with status 507"],
  ];
  for (const [path, response, message] of refusals) {
    await withServer(async ({ host, gguf }) => {
      const error = await assertRejects(
        () => createOllamaModel("x", { host, gguf }),
        Error,
        message,
      );
      assert(!error.message.includes("\n"));
    }, (asked) => path.test(asked.path) ? response() : undefined);
  }
});

Deno.test("createOllamaModel() says when nobody is there, breaks off, or is asked too little", async () => {
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const host = `127.0.0.1:${free.addr.port}`;
  free.close();
  await assertRejects(
    () => createOllamaModel("x", { host, from: "y" }),
    Deno.errors.ConnectionRefused,
    `Cannot reach Ollama at "http://${host}": start it with "ollama serve", or set OLLAMA_HOST`,
  );
  const rude = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of rude) {
      await connection.read(new Uint8Array(1024));
      connection.close();
    }
  })();
  await assertRejects(
    () => createOllamaModel("x", { host: `127.0.0.1:${rude.addr.port}`, from: "y" }),
    Error,
    "dropped the connection, as it does when it fails",
  );
  rude.close();
  await serving;
  await assertRejects(
    () => createOllamaModel("x", { host }),
    TypeError,
    'give either "gguf" or "from"',
  );
  await withServer(async ({ host, gguf }) => {
    const signal = AbortSignal.abort(new Error("enough"));
    await assertRejects(() => createOllamaModel("x", { host, gguf, signal }), Error, "enough");
  });
});
