/**
 * Pre-tokenizers: how a text is split into the pieces that the model encodes, with the results of the Rust crate
 * `tokenizers`. One row each. tests/text compares with the crate.
 */
import type { Component } from "./definition.ts";
import { readPattern, type Segment, segmentsOf } from "./pattern.ts";
import { spellBytes } from "./token_bytes.ts";

/** Splits a piece; `first` tells whether it is at the beginning of the text. */
export type Cut = (piece: string, first: boolean) => string[];

/** What happens to a match and what is between matches (`SplitDelimiterBehavior`). */
type Behavior = (segments: readonly Segment[]) => string[];

const BEHAVIORS: Readonly<Record<string, Behavior>> = {
  isolated: (segments) => segments.map(({ text }) => text),
  // An empty piece for a removed beginning, so that what follows is not the first.
  removed: (segments) =>
    segments.filter(({ isMatch }, i) => !isMatch || i === 0)
      .map(({ text, isMatch }) => isMatch ? "" : text),
  contiguous(segments) {
    const pieces: string[] = [];
    let before: boolean | undefined;
    for (const { text, isMatch } of segments) {
      if (isMatch === before) pieces[pieces.length - 1] += text;
      else pieces.push(text);
      before = isMatch;
    }
    return pieces;
  },
  mergedwithprevious(segments) {
    const pieces: string[] = [];
    let afterMatch = false;
    for (const { text, isMatch } of segments) {
      if (isMatch && !afterMatch && pieces.length > 0) pieces[pieces.length - 1] += text;
      else pieces.push(text);
      afterMatch = isMatch;
    }
    return pieces;
  },
  mergedwithnext(segments) {
    const pieces: string[] = [];
    let beforeMatch = false;
    for (const { text, isMatch } of segments.toReversed()) {
      if (isMatch && !beforeMatch && pieces.length > 0) pieces.push(text + pieces.pop());
      else pieces.push(text);
      beforeMatch = isMatch;
    }
    return pieces.reverse();
  },
};

function behaviorOf(name: unknown, kind: string): Behavior {
  const key = String(name ?? "Isolated").toLowerCase().replaceAll("_", "");
  if (Object.hasOwn(BEHAVIORS, key)) return BEHAVIORS[key];
  throw new TypeError(
    `Cannot build the tokenizer: its "${kind}" has the behavior ${
      JSON.stringify(name)
    }, expected ` +
      '"Isolated", "Removed", "Contiguous", "MergedWithPrevious" or "MergedWithNext"',
  );
}

function split(pattern: RegExp, behavior: Behavior, invert = false): Cut {
  return (piece) => {
    const segments = segmentsOf(piece, pattern);
    return behavior(
      invert ? segments.map(({ text, isMatch }) => ({ text, isMatch: !isMatch })) : segments,
    );
  };
}

/** How GPT-2 splits a text (Oniguruma's `\s` is Unicode's white space, JavaScript's is not). */
export const GPT2_SPLIT =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/gu;
const WHITE_SPACE = /\p{White_Space}/gu;

const { isolated, removed, contiguous, mergedwithnext } = BEHAVIORS;

const PRE_TOKENIZERS: Readonly<Record<string, (component: Component) => Cut>> = {
  ByteLevel({ add_prefix_space = true, use_regex = true }) {
    return (piece) => {
      const text = add_prefix_space && !piece.startsWith(" ") ? ` ${piece}` : piece;
      const pieces = use_regex ? segmentsOf(text, GPT2_SPLIT).map(({ text }) => text) : [text];
      return pieces.map(spellBytes);
    };
  },
  Metaspace({ replacement = "▁", prepend_scheme, add_prefix_space, split: splits = true }) {
    const mark = String(replacement);
    // Files of earlier versions have "add_prefix_space" instead.
    const scheme = prepend_scheme ?? (add_prefix_space === false ? "never" : "always");
    if (!["first", "always", "never"].includes(String(scheme))) {
      throw new TypeError(
        `Cannot build the tokenizer: its "Metaspace" has the prepend_scheme ${
          JSON.stringify(scheme)
        }, expected "first", "always" or "never"`,
      );
    }
    const cut = split(new RegExp(RegExp.escape(mark), "gu"), mergedwithnext);
    return (piece, first) => {
      let text = piece.replaceAll(" ", mark);
      const prepends = scheme === "always" || (scheme === "first" && first);
      if (prepends && !text.startsWith(mark)) text = mark + text;
      return splits ? cut(text, first) : [text];
    };
  },
  Split: ({ pattern, behavior, invert = false }) =>
    split(readPattern(pattern), behaviorOf(behavior, "Split"), invert === true),
  Digits: ({ individual_digits = false }) =>
    split(/\p{N}/gu, individual_digits ? isolated : contiguous),
  Punctuation: ({ behavior }) => split(PUNCTUATION, behaviorOf(behavior, "Punctuation")),
  Whitespace: () =>
    split(
      /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu,
      removed,
      true,
    ),
  WhitespaceSplit: () => split(WHITE_SPACE, removed),
  CharDelimiterSplit: ({ delimiter }) =>
    split(new RegExp(RegExp.escape(String(delimiter)), "gu"), removed),
  BertPreTokenizer() {
    const [words, marks] = [split(WHITE_SPACE, removed), split(PUNCTUATION, isolated)];
    return (piece, first) => words(piece, first).flatMap((word) => marks(word, first));
  },
  FixedLength: ({ length = 5 }) => split(new RegExp(`.{1,${Number(length)}}`, "gsu"), isolated),
};

/**
 * Builds a pre-tokenizer.
 *
 * @param components Its components in order.
 * @returns What splits a text.
 * @throws {TypeError} If a component is of a kind that is not reproduced exactly.
 */
export function buildPreTokenizer(components: readonly Component[]): Cut {
  const steps = components.map((component) => {
    if (Object.hasOwn(PRE_TOKENIZERS, component.type)) {
      return PRE_TOKENIZERS[component.type](component);
    }
    throw new TypeError(
      `Cannot build the tokenizer: its pre-tokenizer is "${component.type}", expected one of ` +
        Object.keys(PRE_TOKENIZERS).map((type) => `"${type}"`).join(", "),
    );
  });
  return (text, first) =>
    steps.reduce<string[]>(
      (pieces, step) =>
        pieces.flatMap((piece, i) => piece === "" ? [""] : step(piece, first && i === 0)),
      [text],
    ).filter((piece) => piece !== "");
}
