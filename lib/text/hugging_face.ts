/**
 * Hugging Face tokenizers, with exactly the tokens of the Rust crate `tokenizers`.
 *
 * The steps are those of the crate: added tokens are found, a text is normalized and split (pieces.ts), pieces become tokens
 * (merge.ts, unigram.ts), and tokens text (decoders.ts). `@huggingface/tokenizers` translates regular expressions; its own
 * components differ from the crate's in many small things, which tests/text looks for. And tokens stay ids here, so that
 * text that looks like a special token is not mistaken for one.
 */
import { type AddedToken, AddedTokenFinder } from "./added_tokens.ts";
import { TokenJoiner } from "./decoders.ts";
import type { TokenizerDefinition } from "./definition.ts";
import { mergePairs } from "./merge.ts";
import { type MergeRanks, mergeRanks } from "./merge_ranks.ts";
import { PieceCutter } from "./pieces.ts";
import { assertText, type EncodeOptions, type Tokenizer, withoutToken } from "./tokenizer.ts";
import { UnigramModel } from "./unigram.ts";

/** The number of pieces whose tokens are cached: a corpus consists of few different words. */
const CACHE_SIZE = 20_000;
const CACHED_LENGTH = 64;

/** A Hugging Face tokenizer. */
export class HuggingFaceTokenizer implements Tokenizer {
  readonly name: string;
  readonly vocabSize: number;
  readonly eosId: number;
  readonly endIds: readonly number[];
  readonly beginIds: readonly number[];
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Its definition. */
  readonly definition: TokenizerDefinition;
  readonly #tokens: readonly (string | undefined)[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #ranks: MergeRanks | undefined;
  readonly #unigram: UnigramModel | undefined;
  readonly #cutter: PieceCutter;
  #continuingCutter: PieceCutter | undefined;
  readonly #added: AddedTokenFinder;
  readonly #addedNormalized: AddedTokenFinder;
  readonly #joiner: TokenJoiner;
  readonly #cache = new Map<string, readonly number[]>();

  /**
   * @param definition Vocabulary, merges, and how a text is split.
   * @throws {TypeError} If a component is of a kind that cannot be reproduced exactly.
   */
  constructor(definition: TokenizerDefinition) {
    this.definition = definition;
    const { name, tokens, addedTokens, model, eosId, endIds = [], beginIds } = definition;
    this.name = name;
    this.eosId = eosId;
    this.endIds = [...new Set([eosId, ...endIds])];
    this.beginIds = beginIds;
    const all = tokens.slice();
    const ids = new Map<string, number>();
    for (let id = 0; id < tokens.length; id++) {
      const token = tokens[id];
      if (token !== undefined) ids.set(token, id);
    }
    for (const { content, id } of addedTokens) all[id] ??= content;
    this.#tokens = all;
    this.#ids = ids;
    this.vocabSize = all.length;
    this.specialTokens = new Map(
      addedTokens.filter(({ special }) => special).map(({ content, id }) => [content, id]),
    );
    this.#cutter = new PieceCutter(definition);
    this.#added = new AddedTokenFinder(addedTokens.filter(({ normalized }) => !normalized));
    this.#addedNormalized = new AddedTokenFinder(
      addedTokens.filter(({ normalized }) => normalized),
      (content) => this.#cutter.normalize(content),
    );
    if (model.type === "BPE") this.#ranks = mergeRanks(model.merges, tokens, ids);
    if (model.type === "Unigram") this.#unigram = new UnigramModel({ tokens, ...model });
    this.#joiner = new TokenJoiner(definition.decoder);
  }

  encode(text: string, options: EncodeOptions = {}): number[] {
    assertText(text);
    return this.encodeParts([text], options)[0]!;
  }

  encodeParts(parts: readonly string[], options: EncodeOptions = {}): number[][] {
    const allowed = this.#allowed(options.allowedSpecial);
    const { shield = "" } = options;
    let before: "nothing" | "token" | "text" = "nothing";
    return parts.map((text) => {
      const ids: number[] = [];
      for (const part of this.#added.split(text.toWellFormed(), allowed)) {
        if (typeof part !== "string") {
          ids.push(part.id);
          before = "token";
          continue;
        }
        const ordinary = shield === "" ? part : part.replaceAll(shield, "");
        // a piece after a split gets no space before it
        const cutter = before === "text" ? this.#continuing() : this.#cutter;
        for (const section of this.#addedNormalized.split(cutter.normalize(ordinary), allowed)) {
          if (typeof section === "string") {
            const isFirst = before === "nothing";
            for (const piece of cutter.cut(section, isFirst)) this.#encodePiece(piece, ids);
            before = "text";
          } else {
            ids.push(section.id);
            before = "token";
          }
        }
      }
      return ids;
    });
  }

  decode(ids: Iterable<number>): string {
    return this.#joiner.join(Array.from(ids, (id) => this.#token(id)));
  }

  bytes(id: number): Uint8Array<ArrayBuffer> {
    return this.#joiner.bytes(this.#token(id));
  }

  #token(id: number): string {
    return this.#tokens[id] ?? withoutToken(id, this.name);
  }

  #continuing(): PieceCutter {
    return this.#continuingCutter ??= new PieceCutter(this.definition, true);
  }

  #allowed(allowedSpecial: EncodeOptions["allowedSpecial"] = []): (token: AddedToken) => boolean {
    if (allowedSpecial === "all") return () => true;
    const names = new Set(allowedSpecial);
    for (const name of names) {
      if (!this.specialTokens.has(name)) {
        const known = [...this.specialTokens.keys()].map((known) => `"${known}"`);
        throw new RangeError(
          `Cannot allow the special token "${name}": "${this.name}" has ` +
            (known.length > 8 ? `${known.slice(0, 8).join(", ")}, …` : known.join(", ") || "none"),
        );
      }
    }
    return ({ content }) => names.has(content);
  }

  #encodePiece(piece: string, ids: number[]): void {
    const cached = this.#cache.get(piece);
    const own = cached ?? this.#pieceIds(piece);
    for (const id of own) ids.push(id);
    if (cached || piece.length > CACHED_LENGTH) return;
    if (this.#cache.size >= CACHE_SIZE) this.#cache.clear();
    this.#cache.set(piece, own);
  }

  #pieceIds(piece: string): number[] {
    const { model } = this.definition;
    if (model.type === "WordLevel") return [this.#word(piece, model.unknownToken)];
    return this.#unigram?.encode(piece) ?? this.#merge(piece);
  }

  #word(piece: string, unknownToken: string | undefined): number {
    const id = this.#ids.get(piece) ?? this.#ids.get(unknownToken ?? "");
    if (id !== undefined) return id;
    throw new TypeError(
      `Cannot encode ${
        JSON.stringify(piece)
      }: "${this.name}" has no token for it, and none for what is unknown`,
    );
  }

  #merge(piece: string): number[] {
    const model = this.definition.model;
    if (model.type !== "BPE" || piece === "") return [];
    const whole = this.#ids.get(piece);
    if (model.ignoreMerges && whole !== undefined) return [whole];
    const bounds = [0];
    for (const character of piece) bounds.push(bounds.at(-1)! + character.length);
    const rank = this.#ranks!;
    const merged = mergePairs(bounds, (start, middle, end) => rank(piece, start, middle, end));
    const ids: number[] = [];
    const unknown = model.unknownToken === undefined
      ? undefined
      : this.#ids.get(model.unknownToken);
    let unknownBefore = false;
    for (let i = 0; i + 1 < merged.length; i++) {
      const part = piece.slice(merged[i], merged[i + 1]);
      const id = this.#ids.get(part);
      const known = id !== undefined
        ? [id]
        : model.byteFallback
        ? this.#bytesAsTokens(part)
        : undefined;
      if (known) {
        for (const id of known) ids.push(id);
      } else if (unknown !== undefined && !(model.fuseUnknown && unknownBefore)) ids.push(unknown);
      unknownBefore = known === undefined;
    }
    return ids;
  }

  #bytesAsTokens(text: string): number[] | undefined {
    const ids: number[] = [];
    for (const byte of new TextEncoder().encode(text)) {
      const id = this.#ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
      if (id === undefined) return undefined;
      ids.push(id);
    }
    return ids;
  }
}
