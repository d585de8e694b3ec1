/**
 * SentencePiece's own files, `tokenizer.model`: a vocabulary with scores, and how texts are rewritten. The message is
 * `ModelProto` of https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
 */
import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";
import type { AddedToken } from "./added_tokens.ts";
import type { Component, TokenizerDefinition } from "./definition.ts";

/** Kinds of pieces. */
const CONTROL = 3, USER_DEFINED = 4, UNUSED = 5;

interface Piece {
  text: string;
  score: number;
  type: number;
}

/** What the file says, with the defaults of the message. */
interface SentencePiece {
  pieces: Piece[];
  /** 1 is a Unigram model, 2 byte pair encoding. */
  kind: number;
  byteFallback: boolean;
  spaceIsSuffix: boolean;
  ids: { unknown: number; begin: number; end: number; pad: number };
  characterMap: Uint8Array;
  dummyPrefix: boolean;
  removesSpaces: boolean;
}

/**
 * Reads a file's vocabulary.
 *
 * @param bytes The file.
 * @param options Its name for errors; the vocabulary's name; whether the vocabulary is in the order of its merges, as
 * Gemma's, whose scores are not.
 * @returns The vocabulary, and how a text is split; special tokens are those that the file has.
 * @throws {SyntaxError} If it is not such a file.
 * @throws {TypeError} If it is of a kind that is not reproduced.
 */
export function readSentencePiece(
  bytes: Uint8Array,
  options: { path: string; name: string; isOrdered: boolean },
): TokenizerDefinition {
  const { path, name, isOrdered } = options;
  const fail = (reason: string): never => {
    throw new TypeError(`Cannot read the tokenizer "${path}": ${reason}`);
  };
  const file = readMessage(bytes, path);
  const { pieces, kind, ids, byteFallback } = file;
  if (kind !== 1 && kind !== 2) fail(`its kind is ${kind}, expected 1 (Unigram) or 2 (BPE)`);
  if (file.spaceIsSuffix) fail("it writes spaces after words, which is not supported");
  const has = (id: number) => id >= 0 && id < pieces.length ? id : undefined;
  const unknownId = has(ids.unknown);
  // A text is never split into unused or special pieces.
  const isOrdinary = ({ type }: Piece) => type !== CONTROL && type !== UNUSED;
  const scores = Float64Array.from(
    pieces,
    (piece, id) => !isOrdinary(piece) ? -Infinity : isOrdered ? -id : piece.score,
  );
  return {
    name,
    tokens: pieces.map(({ text }) => text),
    addedTokens: pieces.flatMap(({ text, type }, id): AddedToken[] => {
      // A piece of several spaces is found by merging, and texts have no "▁".
      const isAdded = type === CONTROL || (type === USER_DEFINED && !text.includes("▁"));
      return isAdded ? [{ id, content: text, special: type === CONTROL, normalized: false }] : [];
    }),
    normalizer: sequence("normalizers", normalizersOf(file)),
    preTokenizer: {
      type: "Metaspace",
      replacement: "▁",
      prepend_scheme: file.dummyPrefix ? "first" : "never",
      split: false,
    },
    model: kind === 1
      ? { type: "Unigram", scores, byteFallback, ...(unknownId !== undefined && { unknownId }) }
      : {
        type: "BPE",
        merges: { kind: "scored", scores },
        byteFallback,
        fuseUnknown: true,
        ...(unknownId !== undefined && { unknownToken: pieces[unknownId].text }),
      },
    decoder: sequence("decoders", [
      { type: "Replace", pattern: { String: "▁" }, content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      ...(file.dummyPrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
    ]),
    beginIds: [],
    eosId: has(ids.end) ?? fail("it has no token that ends a text"),
    bosId: has(ids.begin),
    unknownId,
    padId: has(ids.pad),
  };
}

function normalizersOf({ characterMap, removesSpaces }: SentencePiece): Component[] {
  const components: Component[] = [];
  if (characterMap.length > 0) {
    components.push({ type: "Precompiled", precompiled_charsmap: characterMap.toBase64() });
  }
  if (removesSpaces) {
    components.push({ type: "Replace", pattern: { Regex: "^ +| +$" }, content: "" });
    components.push({ type: "Replace", pattern: { Regex: " {2,}" }, content: " " });
  }
  return components;
}

function sequence(list: string, components: Component[]): Component | null {
  return components.length === 0 ? null : { type: "Sequence", [list]: components };
}

function readMessage(bytes: Uint8Array, path: string): SentencePiece {
  const file: SentencePiece = {
    pieces: [],
    kind: 1,
    byteFallback: false,
    spaceIsSuffix: false,
    ids: { unknown: 0, begin: 1, end: 2, pad: -1 },
    characterMap: new Uint8Array(0),
    dummyPrefix: true,
    removesSpaces: true,
  };
  try {
    readFields(new BinaryReader(bytes), {
      1: (reader) => {
        const piece = { text: "", score: 0, type: 1 };
        readFields(new BinaryReader(reader.bytes()), {
          1: (inner) => piece.text = inner.string(),
          2: (inner) => piece.score = inner.float(),
          3: (inner) => piece.type = inner.int32(),
        });
        file.pieces.push(piece);
      },
      2: (reader) =>
        readFields(new BinaryReader(reader.bytes()), {
          3: (inner) => file.kind = inner.int32(),
          24: (inner) => file.spaceIsSuffix = inner.bool(),
          35: (inner) => file.byteFallback = inner.bool(),
          40: (inner) => file.ids.unknown = inner.int32(),
          41: (inner) => file.ids.begin = inner.int32(),
          42: (inner) => file.ids.end = inner.int32(),
          43: (inner) => file.ids.pad = inner.int32(),
        }),
      3: (reader) =>
        readFields(new BinaryReader(reader.bytes()), {
          2: (inner) => file.characterMap = inner.bytes(),
          3: (inner) => file.dummyPrefix = inner.bool(),
          4: (inner) => file.removesSpaces = inner.bool(),
        }),
    });
  } catch (cause) {
    throw new SyntaxError(
      `Cannot read "${path}" as a SentencePiece model: ${(cause as Error).message}`,
      { cause },
    );
  }
  if (file.pieces.length === 0) {
    throw new SyntaxError(`Cannot read "${path}" as a SentencePiece model: it has no pieces`);
  }
  return file;
}

/** Reads the fields that are asked for, and skips the others. */
function readFields(
  reader: BinaryReader,
  fields: Readonly<Record<number, (reader: BinaryReader) => void>>,
): void {
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const read = fields[number];
    if (read === undefined) reader.skip(type as WireType, number);
    else read(reader);
  }
}
