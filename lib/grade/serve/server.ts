/**
 * The local page on which people mark written answers: on this machine only, behind a token, anonymous by default.
 *
 * @module
 */

import { z } from "zod";
import type { Cell, Notebook } from "../../runtime/notebook.ts";
import { renderCells } from "../../runtime/report/cells.ts";
import { renderMarkdown } from "../../runtime/report/markdown.ts";
import { renderStaticReport, STATIC_POLICY } from "../page.ts";
import { Door } from "./door.ts";
import { type MarkingPage, renderMarkingPage } from "./page.ts";
import { keyedHash, pseudonym } from "./pseudonyms.ts";
import type {
  AnswerContent,
  Mark,
  MarkedQuestion,
  MarkStore,
  NewMark,
  WrittenAnswer,
} from "./store.ts";

/** What a judge says about an answer: read by the marker, never entered by itself. */
export interface Suggestion {
  readonly points: number;
  readonly reason: string;
}

/** Options of {@linkcode serveMarking}. */
export interface MarkingOptions {
  /** The port; by default any free one. */
  readonly port?: number;
  /** Whether markers see pseudonyms in place of students. Default: true. */
  readonly anonymous?: boolean;
  /** The name that the page offers to its marker. */
  readonly marker?: string;
  /** Judges an answer against the mark scheme, when a marker asks for it. */
  readonly suggest?: (
    question: MarkedQuestion,
    answer: AnswerContent,
    signal: AbortSignal,
  ) => Promise<Suggestion>;
  /** Ends the server. */
  readonly signal?: AbortSignal;
}

/** A marking page that is being served. */
export interface MarkingServer {
  /** The address to open, token included. */
  readonly url: string;
  readonly port: number;
  /** Resolves when the server has ended. */
  readonly finished: Promise<void>;
  /** Ends it. */
  close(): Promise<void>;
}

/** A request's body is at most so long, in bytes. */
const MAX_BODY = 2 ** 20;
/** Longer answers are cut on the page; the report has the whole. */
const MAX_ANSWER = 200_000;

/** The most findings of one submission that the page shows. */
const MAX_FINDINGS = 50;

/** A judge may take so long, in milliseconds. */
const MAX_JUDGING = 300_000;

const markSchema = z.strictObject({
  answer: z.string().max(100),
  base: z.int().min(0),
  marker: z.string().trim().min(1).max(100),
  session: z.string().min(1).max(100),
  edit: z.int().min(1),
  points: z.number().nullable(),
  rubric: z.array(z.string().max(200)).max(200),
  comment: z.string().max(200_000),
});
const commentSchema = z.strictObject({
  question: z.string().max(500),
  text: z.string().trim().min(1).max(10_000),
});
const answerSchema = z.strictObject({ answer: z.string().max(100) });

/**
 * Serves the marking page on 127.0.0.1.
 *
 * @param store Where answers are read and marks are kept.
 * @param options How to serve it.
 * @returns The running server.
 */
export async function serveMarking(
  store: MarkStore,
  options: MarkingOptions = {},
): Promise<MarkingServer> {
  const { port = 0, signal } = options;
  const desk = new Desk(store, options);
  const page = await renderMarkingPage();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, signal, onListen: () => {} },
    (request): Promise<Response> =>
      guarded(async () => door.check(request) ?? await answerRequest(request, desk, page)),
  );
  const door: Door = new Door(server.addr.port);
  return {
    url: `http://127.0.0.1:${server.addr.port}/?token=${door.token}`,
    port: server.addr.port,
    finished: server.finished,
    close: () => server.shutdown(),
  };
}

/** What a person did wrong, as the page says it. */
class Refused extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

async function guarded(answer: () => Promise<Response>): Promise<Response> {
  let response: Response;
  try {
    response = await answer();
  } catch (error) {
    const status = error instanceof Refused ? error.status : 500;
    if (status === 500) console.error(error);
    const message = error instanceof Refused ? error.message : "The server met an error.";
    response = Response.json({ message }, { status });
  }
  const defaults = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
  for (const [name, value] of Object.entries(defaults)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

async function answerRequest(request: Request, desk: Desk, page: MarkingPage): Promise<Response> {
  const url = new URL(request.url);
  const parameter = (name: string) => url.searchParams.get(name) ?? "";
  switch (`${request.method} ${url.pathname}`) {
    case "GET /":
      return html(page.html, page.policy);
    case "GET /api/start":
      return Response.json(await desk.start());
    case "GET /api/queue":
      return Response.json(await desk.queue(parameter("question")));
    case "GET /api/marks":
      return Response.json(await desk.marks(parameter("question")));
    case "GET /api/answer":
      return Response.json(await desk.answer(parameter("answer")));
    case "GET /report":
      return html(
        await desk.report(parameter("answer")),
        `sandbox; ${STATIC_POLICY}; frame-ancestors 'self'`,
      );
    case "GET /file":
      return await desk.file(parameter("answer"));
    case "POST /api/mark": {
      const { status, body } = await desk.append(await read(request, markSchema));
      return Response.json(body, { status });
    }
    case "POST /api/comment":
      return Response.json(await desk.keepComment(await read(request, commentSchema)));
    case "POST /api/suggest":
      return Response.json(
        await desk.suggest((await read(request, answerSchema)).answer),
      );
    default:
      throw new Refused(404, "There is no such page.");
  }
}

function html(text: string, policy: string): Response {
  return new Response(text, {
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
  });
}

async function read<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  if (!request.headers.get("content-type")?.startsWith("application/json")) {
    throw new Refused(415, "Expected JSON.");
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Refused(413, "This is more than the server takes at once.");
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(await new Blob(chunks as BlobPart[]).text());
  } catch {
    throw new Refused(400, "Expected JSON.");
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Refused(400, `Not saved: ${issue!.path.join(".")}: ${issue!.message}`);
}

/** The store as the page sees it: no student's name and no name of the store's own. */
class Desk {
  readonly #store: MarkStore;
  readonly #options: MarkingOptions;
  /** Answers by the names that the page knows. */
  readonly #known = new Map<string, WrittenAnswer>();
  /** Those names by the store's ids. */
  readonly #names = new Map<string, string>();

  constructor(store: MarkStore, options: MarkingOptions) {
    this.#store = store;
    this.#options = options;
  }

  async start() {
    const questions = await this.#store.questions();
    return {
      questions: questions.map(({ id, title }) => ({ id, title })),
      anonymous: this.#isAnonymous,
      marker: this.#options.marker ?? "",
      suggests: this.#options.suggest !== undefined,
    };
  }

  async queue(id: string) {
    const question = await this.#question(id);
    const answers = await this.#answers(id);
    const marks = new Map((await this.#store.marks(id)).map((mark) => [mark.answer, mark]));
    const text = (source: string | undefined, prefix: string) =>
      source === undefined ? "" : renderMarkdown(source, { prefix }).html;
    return {
      id,
      title: question.title,
      maxPoints: question.maxPoints,
      rubric: question.rubric,
      prompt: text(question.prompt, "p-"),
      scheme: text(question.scheme, "s-"),
      comments: (await this.#store.comments(id)).map(({ text }) => text),
      answers: answers.map((answer) => ({
        id: this.#nameOf(answer),
        name: this.#studentOf(answer),
        mark: shown(marks.get(answer.id)),
      })),
    };
  }

  async marks(id: string) {
    await this.#question(id);
    const answers = new Map((await this.#answers(id)).map((one) => [one.id, this.#nameOf(one)]));
    const marks = await this.#store.marks(id);
    return {
      marks: marks.flatMap((mark) => {
        const answer = answers.get(mark.answer);
        return answer === undefined ? [] : [{ answer, mark: shown(mark) }];
      }),
    };
  }

  async answer(name: string) {
    const { cell, file, findings = [] } = await this.#content(name);
    const isCut = cell.source.length > MAX_ANSWER;
    const source = isCut ? cell.source.slice(0, MAX_ANSWER) : cell.source;
    return {
      html: renderAnswer({ ...cell, source }),
      isCut,
      isEmpty: cell.source.trim() === "" && file === undefined,
      file: file?.type ?? null,
      findings: findings.slice(0, MAX_FINDINGS),
    };
  }

  async report(name: string): Promise<string> {
    const answer = await this.#find(name);
    const notebook = await this.#store.submission(answer.id) ??
      notebookWith({ cell_type: "markdown", id: "none", metadata: {}, source: "No report." });
    return await renderStaticReport(withoutNames(notebook), this.#studentOf(answer));
  }

  async file(name: string): Promise<Response> {
    const answer = await this.#find(name);
    const { file } = await this.#store.content(answer.id);
    if (file === undefined) throw new Refused(404, "There is no such file.");
    const { type } = file;
    const ending = type === "application/pdf" ? "pdf" : "md";
    const title = this.#studentOf(answer).replace(/[^\w.-]+/g, "_").slice(0, 80);
    return new Response(await file.read(), {
      headers: {
        "content-type": type,
        "content-disposition": `attachment; filename="${title}.${ending}"`,
        "content-security-policy": "sandbox; default-src 'none'",
      },
    });
  }

  async append(given: z.infer<typeof markSchema>) {
    const { base, answer: name, ...rest } = given;
    const answer = await this.#find(name);
    const { maxPoints, rubric } = await this.#question(answer.question);
    const { points } = rest;
    if (points !== null && !(points >= 0 && points <= maxPoints)) {
      throw new Refused(400, `Not saved: ${points} points; expected from 0 to ${maxPoints}.`);
    }
    const known = new Set(rubric.map(({ id }) => id));
    if (
      rest.rubric.some((id) => !known.has(id)) || new Set(rest.rubric).size < rest.rubric.length
    ) {
      throw new Refused(400, "Not saved: the rubric has changed; reload the page.");
    }
    const mark: NewMark = { ...rest, answer: answer.id };
    const result = await this.#store.append(mark, base);
    if (result.saved) return { status: 200, body: { mark: shown(result.mark) } };
    return { status: 409, body: { current: shown(result.current) } };
  }

  async keepComment({ question, text }: z.infer<typeof commentSchema>) {
    await this.#question(question);
    await this.#store.addComment(question, text);
    return { comments: (await this.#store.comments(question)).map(({ text }) => text) };
  }

  async suggest(name: string) {
    const { suggest, signal } = this.#options;
    const limit = AbortSignal.timeout(MAX_JUDGING);
    if (suggest === undefined) throw new Refused(404, "No judge was given to this server.");
    const answer = await this.#find(name);
    const question = await this.#question(answer.question);
    try {
      const { points, reason } = await suggest(
        question,
        await this.#store.content(answer.id),
        signal === undefined ? limit : AbortSignal.any([signal, limit]),
      );
      if (!Number.isFinite(points)) throw new TypeError(`it gave ${points} in place of points`);
      return { points, reason: String(reason) };
    } catch (error) {
      throw new Refused(502, `The judge did not answer: ${(error as Error).message}`);
    }
  }

  get #isAnonymous(): boolean {
    return this.#options.anonymous ?? true;
  }

  async #question(id: string): Promise<MarkedQuestion> {
    const question = (await this.#store.questions()).find((one) => one.id === id);
    if (question === undefined) throw new Refused(404, "There is no such question.");
    return question;
  }

  /** In an order that depends on no name and no grade: neither may sway a marker. */
  async #answers(question: string): Promise<WrittenAnswer[]> {
    const answers = [...await this.#store.answers(question)];
    for (const answer of answers) this.#known.set(this.#nameOf(answer), answer);
    const order = new Map(answers.map((answer) => [answer, this.#nameOf(answer)]));
    return answers.sort((a, b) => order.get(a)! < order.get(b)! ? -1 : 1);
  }

  async #content(name: string): Promise<AnswerContent> {
    return await this.#store.content((await this.#find(name)).id);
  }

  async #find(name: string): Promise<WrittenAnswer> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    // A page that was open before the server started again.
    for (const { id } of await this.#store.questions()) await this.#answers(id);
    const found = this.#known.get(name);
    if (found === undefined) throw new Refused(404, "There is no such answer.");
    return found;
  }

  #nameOf({ id }: WrittenAnswer): string {
    return this.#names.getOrInsertComputed(
      id,
      () => keyedHash(this.#store.secret, "answer", id),
    );
  }

  #studentOf({ student }: WrittenAnswer): string {
    return this.#isAnonymous ? pseudonym(this.#store.secret, student) : student;
  }
}

function shown(mark: Mark | undefined) {
  if (mark === undefined) return null;
  const { version, marker, session, edit, at, points, rubric, comment, outdated = false } = mark;
  return { version, marker, session, edit, at, points, rubric, comment, outdated };
}

function notebookWith(cell: Cell): Notebook {
  return { nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [cell] };
}

/** A heading of the answer stays in it, since no title is like this one. */
function renderAnswer(cell: Cell): string {
  return renderCells(notebookWith(cell), { code: true, title: "\0" }).html;
}

/** Authors stand in a notebook's metadata; the report is rendered from its cells. */
function withoutNames(notebook: Notebook): Notebook {
  const { kernelspec, language_info } = notebook.metadata;
  return {
    ...notebook,
    metadata: { ...(kernelspec && { kernelspec }), ...(language_info && { language_info }) },
  };
}
