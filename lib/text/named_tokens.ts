/**
 * The tokens that a model's other files add to its `tokenizer.json`, in the order and with the precedence of transformers
 * (`PreTrainedTokenizerBase._from_pretrained`, `TokenizersBackend.__init__`).
 */
import type { AddedToken } from "./added_tokens.ts";

type Json = Record<string, unknown>;

/** The files beside `tokenizer.json`, parsed; an empty object for one that is not there. */
export interface TokenizerSettings {
  /** `tokenizer_config.json`. */
  config: Json;
  /** `special_tokens_map.json`, of earlier versions. */
  specialTokensMap?: Json;
  /** `added_tokens.json`, of earlier versions: ids by token. */
  addedTokens?: Json;
}

/** A token without its id. */
type NewToken = Omit<AddedToken, "id">;

/** What the files say of tokens. */
export interface NamedTokens {
  /** Special tokens by their role: `bos_token`, `eos_token`, `unk_token`, `pad_token`, … */
  roles: Readonly<Record<string, string>>;
  /** Tokens with the properties that count, whatever `tokenizer.json` says of them. */
  listed: readonly NewToken[];
  /** Special tokens, whose properties count where the token is nowhere else. */
  special: readonly NewToken[];
}

/** Roles that every tokenizer may have, in the order in which their tokens are added. */
const ROLES = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"].map((role) => `${role}_token`);

/**
 * Collects the tokens.
 *
 * @param settings The parsed files.
 * @param fail Throws the error for what is wrong in them.
 * @returns Roles, and tokens to add.
 */
export function namedTokens(
  settings: TokenizerSettings,
  fail: (reason: string) => never,
): NamedTokens {
  const { config, specialTokensMap = {}, addedTokens = {} } = settings;
  const listed = config.added_tokens_decoder;
  // The older files count only where the newest does not list the tokens.
  const isOld = listed === undefined;
  const named: Json = isOld ? { ...config, ...specialTokensMap } : config;
  const extra = named.extra_special_tokens ?? named.additional_special_tokens ?? [];
  const special: NewToken[] = [];
  const roles: Record<string, string> = {};
  const name = (key: string, token: NewToken) => {
    roles[key] = token.content;
    special.push(token);
  };
  for (const key of ROLES) {
    const value = named[key];
    if (value === null || value === undefined) continue;
    name(key, readToken(value, true) ?? fail(`"${key}" is ${JSON.stringify(value)}`));
  }
  // Roles of a model's own, such as "image_token".
  for (const [key, value] of Object.entries(isObject(extra) ? { ...named, ...extra } : named)) {
    if (!key.endsWith("_token") || ROLES.includes(key)) continue;
    const token = readToken(value, true);
    if (token !== undefined) name(key, token);
  }
  for (const value of Array.isArray(extra) ? extra : []) {
    special.push(
      readToken(value, true) ?? fail(`a special token is ${JSON.stringify(value)}`),
    );
  }
  const names = new Set(special.map(({ content }) => content));
  const tokens = isOld ? oldTokens(addedTokens, names, fail) : listedTokens(listed, fail);
  return {
    roles,
    listed: tokens.map((token) => names.has(token.content) ? { ...token, special: true } : token),
    special,
  };
}

/** The tokens of `added_tokens_decoder`, by their numbers there, which are not their ids. */
function listedTokens(
  listed: unknown,
  fail: (reason: string) => never,
): NewToken[] {
  if (!isObject(listed)) return fail('"added_tokens_decoder" must be an object');
  return Object.entries(listed).toSorted(([a], [b]) => Number(a) - Number(b)).map(([id, value]) =>
    readToken(value, false) ?? fail(`"added_tokens_decoder" has ${JSON.stringify(value)} as ${id}`)
  );
}

function oldTokens(
  listed: Json,
  special: ReadonlySet<string>,
  fail: (reason: string) => never,
): NewToken[] {
  return Object.entries(listed).toSorted(([, a], [, b]) => Number(a) - Number(b)).map(
    ([content, id]) => {
      if (!Number.isInteger(id)) fail(`"added_tokens.json" has ${JSON.stringify(id)} as an id`);
      const isSpecial = special.has(content);
      return { content, special: isSpecial, normalized: !isSpecial };
    },
  );
}

/** A token, written as its text or with its properties. */
function readToken(value: unknown, special: boolean): NewToken | undefined {
  if (typeof value === "string") return { content: value, special, normalized: false };
  if (!isObject(value) || typeof value.content !== "string") return undefined;
  const isSpecial = special || value.special === true;
  return {
    content: value.content,
    special: isSpecial,
    single_word: value.single_word === true,
    lstrip: value.lstrip === true,
    rstrip: value.rstrip === true,
    normalized: typeof value.normalized === "boolean" ? value.normalized : !isSpecial,
  };
}

/**
 * Adds tokens to a vocabulary as the crate `tokenizers` does: one that the vocabulary has keeps its id, another gets the
 * next one, whatever id the files give it.
 *
 * @param vocabulary The vocabulary's ids by token, without added tokens.
 * @param before The added tokens of `tokenizer.json`.
 * @param named The tokens to add.
 * @returns All added tokens by id.
 */
export function addTokens(
  vocabulary: ReadonlyMap<string, number>,
  before: readonly AddedToken[],
  { listed, special }: NamedTokens,
): AddedToken[] {
  const added = new Map<string, AddedToken>();
  let next = vocabulary.size;
  const add = (token: NewToken) => {
    const id = added.get(token.content)?.id ?? vocabulary.get(token.content) ?? next;
    next = Math.max(next, id + 1);
    added.set(token.content, { ...token, id });
  };
  for (const token of before) if (token.content !== "") add(token);
  for (const token of listed) if (token.content !== "") add(token);
  for (const token of special) {
    const known = added.get(token.content);
    if (known !== undefined) added.set(token.content, { ...known, special: true });
    else if (token.content !== "") add(token);
  }
  return [...added.values()].toSorted((a, b) => a.id - b.id);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
