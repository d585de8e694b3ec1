/** Loading tokenizers from a model's files, and saving them. */
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { openGguf } from "../weights/gguf/read.ts";
import { assertNoPointer } from "../weights/git_lfs.ts";
import type { ResolvedDirectory, ResolvedModel } from "../weights/resolved.ts";
import { writeAll, writeBeside, writeFileBeside } from "../write_beside.ts";
import { ggufTokenizerDefinition } from "./gguf_tokenizer.ts";
import { gpt2Tokenizer } from "./gpt2.ts";
import { HuggingFaceTokenizer } from "./hugging_face.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { gpt2Definition } from "./tokenizer_to_gguf.ts";
import type { TokenizerSettings } from "./named_tokens.ts";
import { parseTokenizerJson, writeTokenizerJson } from "./tokenizer_json.ts";

type Json = Record<string, unknown>;

/**
 * Opens a model's tokenizer: from its GGUF file; from its directory's `tokenizer.json` and the files beside it; from
 * `vocab.json` and `merges.txt`, or SentencePiece's `tokenizer.model`, where that is all there is; or GPT-2's own for a
 * GPT-2 without these files.
 *
 * @param source The model's files, as `resolveModel` finds them.
 * @returns The tokenizer.
 * @throws {Deno.errors.NotFound} If there is no tokenizer.
 * @throws {SyntaxError} If a file is not JSON.
 * @throws {TypeError} If a file holds no tokenizer that can be reproduced exactly.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openTokenizer, resolveModel } from "tunebook";
 *
 * const tokenizer = await openTokenizer(await resolveModel("nano"));
 * assertEquals(tokenizer.decode(tokenizer.encode("Foxes.")), "Foxes.");
 * ```
 */
export async function openTokenizer(source: ResolvedModel): Promise<Tokenizer> {
  if (source.kind === "gguf") {
    using file = await openGguf(source.weights);
    return new HuggingFaceTokenizer(ggufTokenizerDefinition(file.metadata, source.weights));
  }
  return await fromDirectory(source);
}

async function fromDirectory(source: ResolvedDirectory): Promise<Tokenizer> {
  const { directory, files, name } = source;
  const has = (file: string) => files.includes(file);
  const read = async (file: string): Promise<Json> =>
    has(file) ? await readJson(join(directory, file)) : {};
  const model = await readJson(source.config);
  const settings: TokenizerSettings = {
    config: await read("tokenizer_config.json"),
    specialTokensMap: await read("special_tokens_map.json"),
    addedTokens: await read("added_tokens.json"),
  };
  if (has("chat_template.jinja")) {
    const template = await Deno.readTextFile(join(directory, "chat_template.jinja"));
    settings.config = { ...settings.config, chat_template: template };
  } else if (settings.config.chat_template == null) {
    const template = await findOtherTemplate(directory, has);
    settings.config = { ...settings.config, chat_template: template };
  }
  const endIds = [
    ...idsOf(model.eos_token_id),
    ...idsOf((await read("generation_config.json")).eos_token_id),
  ];
  const at = (file: string) => ({ name, path: join(directory, file), endIds });
  if (has("tokenizer.json")) {
    const options = at("tokenizer.json");
    const json = await readJson(options.path);
    return new HuggingFaceTokenizer(parseTokenizerJson(json, settings, options));
  }
  const kind = String(settings.config.tokenizer_class ?? model.model_type);
  if (has("vocab.json") && has("merges.txt")) {
    const options = at("vocab.json");
    const merges = await Deno.readTextFile(join(directory, "merges.txt"));
    const vocabulary = await readJson(options.path);
    const { readVocabularyFiles } = await import("./older_files.ts");
    return new HuggingFaceTokenizer(
      readVocabularyFiles({ vocabulary, merges, kind }, settings, options),
    );
  }
  if (has("tokenizer.model")) {
    const options = at("tokenizer.model");
    const bytes = await Deno.readFile(options.path);
    assertNoPointer(bytes, options.path);
    const { readSentencePieceFile } = await import("./older_files.ts");
    return new HuggingFaceTokenizer(
      readSentencePieceFile(bytes, settings, { ...options, kind }),
    );
  }
  const rows = model.vocab_size;
  const own = model.model_type === "gpt2" ? gpt2Tokenizer() : undefined;
  const fits = typeof rows !== "number" || own === undefined || own.vocabSize <= rows;
  if (own !== undefined && fits) return own;
  throw new Deno.errors.NotFound(
    `Cannot read text for "${source.spec}": directory "${directory}" holds no "tokenizer.json"` +
      (fits ? "" : `, and GPT-2's own has ${own!.vocabSize} tokens where the model has ${rows}`),
  );
}

/**
 * The template in a processor's file, or several with names, which are refused unless one is the default: what they are
 * for, a conversation does not say.
 */
async function findOtherTemplate(
  directory: string,
  has: (file: string) => boolean,
): Promise<unknown> {
  if (has("chat_template.json")) {
    return (await readJson(join(directory, "chat_template.json"))).chat_template;
  }
  if (!has(OTHER_TEMPLATES)) return undefined;
  const files = await Array.fromAsync(Deno.readDir(join(directory, OTHER_TEMPLATES)));
  const names = files.map(({ name }) => name).filter((name) => name.endsWith(".jinja")).sort();
  if (names.length === 0) return undefined;
  return names.map((name) => ({ name: name.replace(/\.jinja$/, "") }));
}

/** The folder of templates for special uses. */
const OTHER_TEMPLATES = "additional_chat_templates";

/** An id, or several. */
function idsOf(value: unknown): number[] {
  return [value].flat().filter((id) => Number.isInteger(id) && id as number >= 0) as number[];
}

async function readJson(path: string): Promise<Json> {
  const bytes = await Deno.readFile(path);
  assertNoPointer(bytes, path);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Cannot read "${path}" as JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`Cannot read "${path}": it must hold an object`);
  }
  return value as Json;
}

/** What a model's answers are generated by. */
const GENERATION = "generation_config.json";

/** The files of a tokenizer, in Hugging Face's layout. */
const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
  GENERATION,
];

/**
 * Saves a tokenizer into a model's directory: copies the files that it came from or, if it came
 * from a GGUF file or is GPT-2's own, writes equivalent files that transformers' `AutoTokenizer`
 * reads.
 *
 * @param tokenizer The tokenizer.
 * @param directory An existing directory. Each file is written under a temporary name, then
 * renamed.
 * @param source Where the model came from.
 * @throws {TypeError} If its kind has no files.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer, saveTokenizer } from "tunebook";
 *
 * const directory = await Deno.makeTempDir();
 * await saveTokenizer(gpt2Tokenizer(), directory);
 * const files = Array.from(Deno.readDirSync(directory), ({ name }) => name);
 * assertEquals(files.includes("tokenizer.json"), true);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export async function saveTokenizer(
  tokenizer: Tokenizer,
  directory: string,
  source?: ResolvedModel,
): Promise<void> {
  const from = source?.kind === "directory" ? source : undefined;
  if (hasTokenizerFiles(source)) return await copyFiles(source, TOKENIZER_FILES, directory);
  for (const [name, pieces] of tokenizerFiles(tokenizer)) {
    await writeBeside(join(directory, name), async (file) => {
      for (const piece of pieces) await writeAll(file, piece);
    });
  }
  if (from) await copyFiles(from, [GENERATION], directory);
}

/** Copies those of some files that a model's directory has. */
async function copyFiles(
  { directory: from, files }: ResolvedDirectory,
  names: readonly string[],
  directory: string,
): Promise<void> {
  if (resolve(from) === resolve(directory)) return;
  for (const name of names.filter((name) => files.includes(name))) {
    await writeFileBeside(join(directory, name), await Deno.readFile(join(from, name)));
  }
}

/**
 * Whether a model's directory has its tokenizer's files, which are copied when it is saved.
 *
 * @param source Where the model came from.
 * @returns Whether it has.
 */
export function hasTokenizerFiles(
  source: ResolvedModel | undefined,
): source is ResolvedModel & { readonly kind: "directory" } {
  return source?.kind === "directory" && source.files.includes("tokenizer.json");
}

type TokenizerFiles = readonly (readonly [name: string, pieces: readonly Uint8Array[]])[];

/** Checkpoints write a tokenizer again and again; listing GPT-2's merges alone takes tenths of a second. */
const files = new WeakMap<Tokenizer, TokenizerFiles>();

/**
 * Makes the files of a tokenizer that did not come from files, once.
 *
 * @param tokenizer The tokenizer.
 * @returns Their contents by name.
 * @throws {TypeError} If its kind has no files.
 */
export function tokenizerFiles(tokenizer: Tokenizer): TokenizerFiles {
  const known = files.get(tokenizer);
  if (known) return known;
  if (tokenizer.definition === undefined && tokenizer.name !== "gpt2") {
    throw new TypeError(`Cannot save the tokenizer "${tokenizer.name}": its kind has no files`);
  }
  const { json, config } = writeTokenizerJson(tokenizer.definition ?? gpt2Definition(tokenizer));
  const encoder = new TextEncoder();
  const made: TokenizerFiles = [
    ["tokenizer.json", Array.from(json, (piece) => encoder.encode(piece))],
    ["tokenizer_config.json", [encoder.encode(`${JSON.stringify(config, null, 2)}\n`)]],
  ];
  files.set(tokenizer, made);
  return made;
}
