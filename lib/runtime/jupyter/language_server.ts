// Deno's own language server, `deno lsp`: types, errors, completions and documentation.
// https://microsoft.github.io/language-server-protocol/

import { toFileUrl } from "@std/path/to-file-url";
import { kernelImports } from "../standalone.ts";
import { startTimer } from "../timer.ts";
import { languageSettings } from "./language_settings.ts";

/** A place in a document, from 0; columns are UTF-16 units. */
export interface Place {
  line: number;
  character: number;
}

/** A range in a document. */
export interface Range {
  start: Place;
  end: Place;
}

/** A diagnostic: what the server reports about a piece of code. */
export interface Diagnostic {
  range: Range;
  /** 1 is an error. */
  severity: number;
  code?: number | string;
  /** `"deno-ts"`: TypeScript. */
  source?: string;
  message: string;
}

/** A completion. */
export interface CompletionItem {
  label: string;
  /** https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#completionItemKind */
  kind?: number;
  sortText?: string;
  insertText?: string;
  textEdit?: { newText: string; range?: Range; replace?: Range };
  /** The type, once resolved. */
  detail?: string;
}

type Json = Record<string, unknown>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** How long a reply may take: the first check of everything takes seconds. */
const ANSWER_MILLISECONDS = 60_000;

/** A running language server. */
export class LanguageServer {
  #process: Deno.ChildProcess;
  #settings: Json;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #answers = new Map<number, { resolve: (result: unknown) => void; reject: (e: Error) => void }>();
  #numbers = 0;
  #versions = new Map<string, number>();
  #ended = false;

  private constructor(process: Deno.ChildProcess, settings: Json) {
    this.#process = process;
    this.#settings = settings;
    this.#writer = process.stdin.getWriter();
    this.#writer.closed.catch(() => {});
  }

  /**
   * Starts a server.
   *
   * @param root The folder where the search for deno.json starts.
   * @param library URLs of this library's entry points, by name, for a folder that maps none.
   */
  static async start(
    root: string,
    library?: Readonly<Record<string, string>>,
  ): Promise<LanguageServer> {
    const language = await languageSettings(root, library ?? await kernelImports(root));
    const process = new Deno.Command(Deno.execPath(), {
      args: ["lsp", "--quiet"],
      cwd: root,
      env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    process.status.finally(() => language[Symbol.dispose]());
    const settings = { ...SETTINGS, ...language.settings };
    const server = new LanguageServer(process, settings);
    server.#read();
    const uri = toFileUrl(root).href;
    await server.#ask("initialize", {
      processId: Deno.pid,
      rootUri: uri,
      workspaceFolders: [{ uri, name: "notebook" }],
      initializationOptions: settings,
      capabilities: {
        workspace: { configuration: true },
        textDocument: {
          diagnostic: {},
          completion: { completionItem: { documentationFormat: ["markdown"] } },
          hover: { contentFormat: ["markdown"] },
        },
      },
    });
    server.#tell("initialized", {});
    return server;
  }

  /** Sends the server a document's text. */
  write(uri: string, text: string): void {
    const version = (this.#versions.get(uri) ?? 0) + 1;
    const known = version > 1;
    this.#versions.set(uri, version);
    if (known) {
      const contentChanges = [{ text }];
      this.#tell("textDocument/didChange", { textDocument: { uri, version }, contentChanges });
    } else {
      const languageId = uri.endsWith(".tsx") ? "typescriptreact" : "typescript";
      const textDocument = { uri, languageId, version, text };
      this.#tell("textDocument/didOpen", { textDocument });
    }
  }

  /** Closes a document. */
  remove(uri: string): void {
    if (this.#versions.delete(uri)) {
      this.#tell("textDocument/didClose", { textDocument: { uri } });
    }
  }

  /** The diagnostics of a document. */
  async diagnose(uri: string): Promise<Diagnostic[]> {
    const report = await this.#ask("textDocument/diagnostic", { textDocument: { uri } });
    return (report as { items?: Diagnostic[] } | null)?.items ?? [];
  }

  /** The completions at a position. */
  async complete(uri: string, position: Place): Promise<CompletionItem[]> {
    const found = await this.#ask("textDocument/completion", { textDocument: { uri }, position });
    if (Array.isArray(found)) return found;
    return (found as { items?: CompletionItem[] } | null)?.items ?? [];
  }

  /** A completion with its type. */
  async resolve(item: CompletionItem): Promise<CompletionItem> {
    return await this.#ask("completionItem/resolve", item as unknown as Json) as CompletionItem;
  }

  /** Documentation of the symbol at a position, as Markdown. */
  async hover(uri: string, position: Place): Promise<string | undefined> {
    const found = await this.#ask("textDocument/hover", { textDocument: { uri }, position });
    // deno-lint-ignore no-explicit-any
    const contents = (found as any)?.contents;
    if (contents === undefined) return undefined;
    // deno-lint-ignore no-explicit-any
    const text = (Array.isArray(contents) ? contents : [contents]).map((one: any) =>
      typeof one === "string" ? one : one.language ? fence(one.language, one.value) : one.value
    ).join("\n\n").trim();
    return text === "" ? undefined : text;
  }

  /** Shuts the server down. */
  async close(): Promise<void> {
    this.#end();
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has already exited.
    }
    await this.#process.status;
  }

  #end() {
    this.#ended = true;
    for (const { reject } of this.#answers.values()) {
      reject(new Error("The language server has ended"));
    }
    this.#answers.clear();
  }

  async #ask(method: string, params: Json): Promise<unknown> {
    if (this.#ended) throw new Error("The language server has ended");
    const id = ++this.#numbers;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#answers.set(id, { resolve, reject });
    this.#send({ id, method, params });
    const timer = startTimer(ANSWER_MILLISECONDS);
    try {
      return await Promise.race([
        promise,
        timer.passed.then(() => {
          throw new Error(`The language server does not answer "${method}"`);
        }),
      ]);
    } finally {
      timer.cancel();
      this.#answers.delete(id);
    }
  }

  #tell(method: string, params: Json) {
    this.#send({ method, params });
  }

  #send(message: Json) {
    const body = encoder.encode(JSON.stringify({ jsonrpc: "2.0", ...message }));
    const head = encoder.encode(`Content-Length: ${body.length}\r\n\r\n`);
    for (const part of [head, body]) this.#writer.write(part).catch(() => this.#end());
  }

  async #read() {
    try {
      for await (const message of messages(this.#process.stdout)) this.#take(message);
    } catch (error) {
      console.error(`Cannot understand the language server: ${(error as Error).message}`);
    }
    this.#end();
  }

  // deno-lint-ignore no-explicit-any
  #take(message: any) {
    if (message.method !== undefined) {
      if (message.id === undefined) return;
      // The server asks for settings section by section; its other requests are for editors.
      const result = message.method === "workspace/configuration"
        ? message.params.items.map(({ section }: { section: string }) =>
          section === "deno" ? this.#settings : EDITOR
        )
        : null;
      this.#send({ id: message.id, result });
      return;
    }
    const answer = this.#answers.get(message.id);
    if (message.error !== undefined) answer?.reject(new Error(message.error.message));
    else answer?.resolve(message.result);
  }
}

// The notebook's folder may be large; only what cells import is needed.
const SETTINGS = { enable: true, lint: false, documentPreloadLimit: 0, cacheOnSave: false };
// A cell module has no place for an import that a completion would add.
const EDITOR = { suggest: { autoImports: false } };

function fence(language: string, code: string): string {
  return `\`\`\`${language}\n${code}\n\`\`\``;
}

/** Splits a stream into messages: a header with the length, a blank line, JSON. */
async function* messages(stream: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  let head = "";
  let body: Uint8Array | undefined;
  let filled = 0;
  for await (let chunk of stream) {
    while (chunk.length > 0) {
      if (body === undefined) {
        // Byte by byte, because the header is short.
        head += String.fromCharCode(chunk[0]);
        chunk = chunk.subarray(1);
        if (!head.endsWith("\r\n\r\n")) continue;
        const length = /^content-length: *(\d+)/im.exec(head)?.[1];
        if (length === undefined) throw new Error(`no length in ${JSON.stringify(head)}`);
        body = new Uint8Array(Number(length));
        filled = 0;
        head = "";
      }
      const taken = Math.min(chunk.length, body.length - filled);
      body.set(chunk.subarray(0, taken), filled);
      filled += taken;
      chunk = chunk.subarray(taken);
      if (filled === body.length) {
        yield JSON.parse(decoder.decode(body));
        body = undefined;
      }
    }
  }
}
