// The marking page's server: who gets in, what leaves it, and what it saves.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type MarkingOptions, serveMarking } from "../../lib/grade/serve/server.ts";
import { pseudonym } from "../../lib/grade/serve/pseudonyms.ts";
import { markdown } from "../runtime/report/sample.ts";
import { MemoryMarks, sampleMarks } from "./memory_marks.ts";

/** A client that has exchanged the token for the cookie. */
class Client {
  constructor(readonly base: string, readonly cookie: string) {}

  async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return await fetch(this.base + path, { headers: { cookie: this.cookie, ...headers } });
  }

  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return await fetch(this.base + path, {
      method: "POST",
      headers: {
        cookie: this.cookie,
        origin: this.base,
        "content-type": "application/json",
        ...headers,
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }
}

async function withServer(
  options: MarkingOptions,
  use: (client: Client, marks: MemoryMarks, url: string) => Promise<void>,
  marks = sampleMarks(),
): Promise<void> {
  const server = await serveMarking(marks, options);
  try {
    const entered = await fetch(server.url);
    await entered.body?.cancel();
    const cookie = entered.headers.get("set-cookie")!;
    assertMatch(cookie, /; Path=\/; HttpOnly; SameSite=Strict$/);
    const base = new URL(server.url).origin;
    await use(new Client(base, cookie.split(";")[0]!), marks, server.url);
  } finally {
    await server.close();
  }
}

/** A request with headers that fetch does not let anyone set. */
async function raw(base: string, text: string): Promise<string> {
  const { hostname, port } = new URL(base);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}

async function status(response: Promise<Response>): Promise<number> {
  const got = await response;
  await got.body?.cancel();
  return got.status;
}

Deno.test("only the printed address and its cookie open the page", async () => {
  await withServer({}, async (client, _, url) => {
    assertEquals(await status(client.get("/")), 200);
    assertEquals(await status(fetch(client.base)), 403);
    assertEquals(await status(fetch(`${client.base}/api/start`)), 403);
    assertEquals(await status(fetch(`${client.base}/?token=wrong`)), 403);
    assertEquals(
      await status(
        fetch(`${client.base}/api/start?token=${new URL(url).searchParams.get("token")}`),
      ),
      403,
    );
    const forged = client.cookie.replace(/.$/, (last) => last === "A" ? "B" : "A");
    assertEquals(await status(client.get("/", { cookie: forged })), 403);
  });
});

Deno.test("other names for this machine and other pages are refused", async () => {
  await withServer({}, async (client) => {
    const head = `Cookie: ${client.cookie}\r\nConnection: close\r\n`;
    const host = new URL(client.base).host;
    const get = (given: string, more = "") =>
      raw(client.base, `GET /api/start HTTP/1.1\r\nHost: ${given}\r\n${head}${more}\r\n`);
    assertStringIncludes(await get(host), "200 OK");
    assertStringIncludes(await get("evil.example"), "421");
    assertStringIncludes(await get(`evil.example:${new URL(client.base).port}`), "421");
    assertStringIncludes(await get(host, "Origin: http://evil.example\r\n"), "403");
    assertStringIncludes(await get(host, "Origin: null\r\n"), "403");
    assertStringIncludes(await get(host, "Sec-Fetch-Site: cross-site\r\n"), "403");
    assertEquals(await status(client.post("/api/mark", {}, { origin: "http://127.0.0.1:1" })), 403);
    const noOrigin = await raw(
      client.base,
      `POST /api/mark HTTP/1.1\r\nHost: ${host}\r\n${head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    );
    assertStringIncludes(noOrigin, "403");
  });
});

Deno.test("every answer carries a policy that lets nothing of a stranger's run", async () => {
  await withServer({}, async (client) => {
    const page = await client.get("/");
    const policy = page.headers.get("content-security-policy")!;
    assertMatch(policy, /default-src 'none'; script-src 'sha256-[^']+';/);
    assertStringIncludes(policy, "frame-ancestors 'none'");
    assertEquals(page.headers.get("x-content-type-options"), "nosniff");
    assertEquals(page.headers.get("cache-control"), "no-store");
    await page.body?.cancel();
    const { answers } = await (await client.get("/api/queue?question=week3/why")).json();
    const report = await client.get(`/report?answer=${answers[0].id}`);
    assertMatch(report.headers.get("content-security-policy")!, /^sandbox; default-src 'none'; /);
    assert(!(await report.text()).includes("<script"));
  });
});

Deno.test("marking is anonymous unless it is asked not to be, and names are stable", async () => {
  const read = async (client: Client) => {
    const queue = await (await client.get("/api/queue?question=week3/why")).text();
    const { answers } = JSON.parse(queue);
    const more = await Promise.all(
      answers.map(async ({ id }: { id: string }) =>
        await (await client.get(`/api/answer?answer=${id}`)).text() +
        await (await client.get(`/report?answer=${id}`)).text()
      ),
    );
    return { all: queue + more.join(""), names: answers.map(({ name }: { name: string }) => name) };
  };
  await withServer({}, async (client, marks) => {
    const { all, names } = await read(client);
    assert(!/student\d/.test(all));
    assertEquals(new Set(names).size, 10);
    assertEquals(
      new Set(names),
      new Set(marks.written.map(({ student }) => pseudonym(marks.secret, student))),
    );
  });
  await withServer({ anonymous: false }, async (client) => {
    assertMatch((await read(client)).all, /student1\b/);
  });
});

Deno.test("a file is offered as a download that runs nothing", async () => {
  const bytes = new TextEncoder().encode("%PDF-1.7 <script>");
  const cell = markdown("");
  const file = { type: "application/pdf" as const, read: () => Promise.resolve(bytes) };
  const question = { id: "q", title: "Plan", maxPoints: 1, rubric: [] };
  const answer = { id: "a", question: "q", student: '../"x"\r\nSet-Cookie: a', cell, file };
  const marks = new MemoryMarks([question], [answer]);
  await withServer({ anonymous: false }, async (client) => {
    const { answers: [{ id }] } = await (await client.get("/api/queue?question=q")).json();
    assertEquals((await (await client.get(`/api/answer?answer=${id}`)).json()).file, file.type);
    const response = await client.get(`/file?answer=${id}`);
    assertEquals(await response.bytes(), bytes);
    assertEquals(response.headers.get("content-type"), "application/pdf");
    assertEquals(
      response.headers.get("content-disposition"),
      'attachment; filename=".._x_Set-Cookie_a.pdf"',
    );
    assertEquals(response.headers.get("set-cookie"), null);
    assertMatch(response.headers.get("content-security-policy")!, /^sandbox;/);
  }, marks);
  await withServer({}, async (client) => {
    const { answers } = await (await client.get("/api/queue?question=week3/why")).json();
    assertEquals(await status(client.get(`/file?answer=${answers[0].id}`)), 404);
  });
});

Deno.test("a mark that does not follow the newest is not saved, and a repeated one is", async () => {
  await withServer({}, async (client, marks) => {
    const { answers } = await (await client.get("/api/queue?question=week3/why")).json();
    const mark = {
      answer: answers[0].id,
      base: 0,
      marker: "Kim",
      session: "one",
      edit: 1,
      points: 2,
      rubric: ["names"],
      comment: "",
    };
    assertEquals(await status(client.post("/api/mark", mark)), 200);
    assertEquals(await status(client.post("/api/mark", mark)), 200, "its answer may be lost");
    assertEquals(marks.history.length, 1);
    const other = await client.post("/api/mark", {
      ...mark,
      marker: "Lee",
      session: "two",
      points: 0,
    });
    assertEquals(other.status, 409);
    assertEquals((await other.json()).current.marker, "Kim");
    assertEquals(await status(client.post("/api/mark", { ...mark, base: 1, points: 3 })), 200);
    assertEquals(marks.history.map(({ version, points }) => [version, points]), [[1, 2], [2, 3]]);
    for (
      const wrong of [
        { points: 6 },
        { points: -1 },
        { rubric: ["unknown"] },
        { rubric: ["names", "names"] },
        { marker: " " },
        { comment: 3 },
        { more: 1 },
      ]
    ) {
      assertEquals(await status(client.post("/api/mark", { ...mark, base: 2, ...wrong })), 400);
    }
    assertEquals(await status(client.post("/api/mark", { ...mark, answer: "x" })), 404);
    assertEquals(await status(client.post("/api/mark", "{")), 400);
    assertEquals(await status(client.post("/api/mark", " ".repeat(2 ** 20 + 1))), 413);
    assertEquals(
      await status(client.post("/api/mark", mark, { "content-type": "text/plain" })),
      415,
    );
    assertEquals(marks.history.length, 2);
  });
});

Deno.test("what one draft sends twice, or in the wrong order, does not conflict with itself", async () => {
  await withServer({}, async (client, marks) => {
    const { answers } = await (await client.get("/api/queue?question=week3/why")).json();
    const draft = { answer: answers[0].id, base: 0, marker: "Kim", session: "one", rubric: [] };
    const send = (edit: number, comment: string, more = {}) =>
      status(client.post("/api/mark", { ...draft, edit, comment, points: null, ...more }));
    // A page is closed while a save is on its way: the next change is sent beside it.
    assertEquals(await send(1, "a"), 200);
    assertEquals(await send(3, "abc"), 200);
    assertEquals(await send(2, "ab"), 200, "the letter between comes last, and changes nothing");
    assertEquals(await send(3, "abc"), 200, "the page that is loaded next sends the draft again");
    assertEquals(marks.history.map(({ comment }) => comment), ["a", "abc"]);
    assertEquals(marks.aside, []);
    // Two tabs with the same draft, changed differently, and another marker between, are conflicts.
    assertEquals(await send(3, "xyz"), 409);
    assertEquals(await send(1, "Lee's", { marker: "Lee", session: "two", base: 2 }), 200);
    assertEquals(await send(4, "abcd"), 409);
    assertEquals(marks.aside.map(({ comment }) => comment), ["xyz", "abcd"]);
    assertEquals(await send(4, "abcd", { base: 3 }), 200);
    assertEquals(marks.history.map(({ comment }) => comment), ["a", "abc", "Lee's", "abcd"]);
  });
});

Deno.test("a suggestion is shown and never becomes a mark", async () => {
  const suggest = () => Promise.resolve({ points: 4, reason: "Names overfitting." });
  await withServer({ suggest }, async (client, marks) => {
    const { answers } = await (await client.get("/api/queue?question=week3/why")).json();
    const response = await client.post("/api/suggest", { answer: answers[0].id });
    assertEquals(await response.json(), { points: 4, reason: "Names overfitting." });
    assertEquals(marks.history, []);
  });
  const vague = () => Promise.resolve({ points: NaN, reason: "" });
  await withServer({ suggest: vague }, async (client) => {
    const { answers } = await (await client.get("/api/queue?question=week3/why")).json();
    assertEquals(await status(client.post("/api/suggest", { answer: answers[0].id })), 502);
  });
  const fails = () => Promise.reject(new Error("no model"));
  await withServer({ suggest: fails }, async (client) => {
    const { answers } = await (await client.get("/api/queue?question=week3/why")).json();
    const response = await client.post("/api/suggest", { answer: answers[0].id });
    assertEquals(response.status, 502);
    assertStringIncludes((await response.json()).message, "no model");
  });
});
