// The token and mask view: a model's input, and the tokens that count in the loss.

import { kindOf } from "../kind_of.ts";
import type { AnswerSpan } from "../text/chat_turns.ts";
import { countedRanges, type Mask } from "../text/mask.ts";
import {
  type Chip,
  chipsHtml,
  chipStyle,
  describeChips,
  legendHtml,
  type TokenRole,
} from "./chips.ts";
import { escapeHtml, plural } from "./theme.ts";
import { type Detokenizer, tokenText, visibleText } from "./token_text.ts";
import { View } from "./view.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

export type { TokenRole } from "./chips.ts";

/** A sequence of tokens to show. All lists have the same length. */
export interface TokenSequence {
  /** Each token's text. */
  tokens: readonly string[];
  /** The role of each token. */
  roles: readonly TokenRole[];
  /** Whether the loss counts the prediction of each token. */
  counted: readonly boolean[];
  /** The id of each token, shown on hover. */
  ids?: readonly number[];
  /** The name of the sequence. */
  label?: string;
}

/** How tokens are shown. */
export interface TokenViewOptions {
  /** The title above the view; plain text. */
  title?: string;
  /** The most tokens of a sequence to show unfolded, 400 by default. */
  maxTokens?: number;
  /** The most sequences to show, 8 by default; the view says how many are left out. */
  maxSequences?: number;
}

/** The names of {@linkcode TokenViewOptions}. */
export const TOKEN_VIEW_OPTIONS: OptionNames<TokenViewOptions> = {
  title: true,
  maxTokens: true,
  maxSequences: true,
};

/** The most tokens of a sequence, because folded tokens take space in the notebook too. */
const mostTokens = 4000;

/**
 * Shows tokens one by one: prompt, response, end and padding, and which of them count in the loss.
 *
 * @param sequences One sequence or several.
 * @param options Title, and how much is shown.
 * @returns The view: chips in a notebook, words in its text form.
 * @throws {RangeError} If the lists of a sequence differ in length.
 *
 * @example
 * ```ts
 * import { tokenView } from "tunebook/show";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const view = tokenView({
 *   tokens: ["Hello", " there", "<|endoftext|>"],
 *   roles: ["prompt", "response", "end"],
 *   counted: [false, true, true],
 * });
 * assertStringIncludes(view.html, "·there");
 * assertStringIncludes(view.text, "2 of 3 tokens count");
 * ```
 */
export function tokenView(
  sequences: TokenSequence | readonly TokenSequence[],
  options: TokenViewOptions = {},
): View {
  assertKnownOptions("show tokens", options, TOKEN_VIEW_OPTIONS);
  const all = (Array.isArray(sequences) ? sequences : [sequences]) as readonly TokenSequence[];
  const at = all.findIndex((sequence) => !Array.isArray(sequence?.tokens));
  if (at >= 0) {
    throw new TypeError(
      `Cannot show tokens of ${kindOf(all[at])}: expected a sequence with "tokens", "roles" and ` +
        '"counted", as exampleTokens() makes it',
    );
  }
  const chips = all.map(toChips);
  const { title, maxTokens = 400, maxSequences = 8 } = options;
  return new View(() => {
    const shown = chips.slice(0, maxSequences);
    const more = chips.length - shown.length;
    const labels = all.map(({ label }, i) => label ?? (all.length > 1 ? `Sequence ${i + 1}` : ""));
    const captions = chips.map((list, i) => [labels[i], caption(list)].filter(Boolean).join(" · "));
    const blocks = shown.map((list, i) => {
      const cut = list.length > mostTokens
        ? `<div class="tb-caption">and ${
          (list.length - mostTokens).toLocaleString("en-US")
        } tokens that are not shown</div>`
        : "";
      return `<div class="tb-seq" role="group" aria-label="${escapeHtml(captions[i])}">` +
        `<div class="tb-caption">${escapeHtml(captions[i])}</div><div class="tb-line">${
          chipsHtml(list.slice(0, mostTokens), { fold: maxTokens })
        }</div>${cut}</div>`;
    });
    const rest = more > 0
      ? `<div class="tb-caption">and ${plural(more, "more sequence")}</div>`
      : "";
    const roles = shown.flatMap((list) => list.map(({ role }) => role));
    const heading = title ? `<div class="tb-title"><b>${escapeHtml(title)}</b></div>` : "";
    return {
      "text/html": `<div class="tb-tokens">${chipStyle}${heading}${legendHtml(roles)}${
        blocks.join("")
      }${rest}</div>`,
      "text/plain": [
        ...(title ? [title] : []),
        ...shown.map((list, i) => plainSequence(captions[i], list)),
        ...(more > 0 ? [`and ${plural(more, "more sequence")}`] : []),
      ].join("\n"),
    };
  });
}

function toChips(sequence: TokenSequence, index: number): Chip[] {
  const { tokens, roles, counted, ids } = sequence;
  const lengths = [roles.length, counted.length, ids?.length ?? tokens.length];
  if (lengths.some((length) => length !== tokens.length)) {
    throw new RangeError(
      `Cannot show sequence ${index + 1}: it has ${tokens.length} tokens, ${roles.length} roles, ` +
        `${counted.length} flags${ids ? ` and ${ids.length} ids` : ""}, expected equal numbers`,
    );
  }
  return tokens.map((text, i): Chip => ({
    text,
    role: roles[i],
    counted: counted[i],
    position: i,
    ...(ids ? { id: ids[i] } : {}),
  }));
}

const caption = (chips: readonly Chip[]) =>
  `${chips.filter(({ counted }) => counted).length.toLocaleString("en-US")} of ${
    chips.length.toLocaleString("en-US")
  } tokens count`;

/** One line per run, so that screen readers and logs have the same information. */
function plainSequence(title: string, chips: readonly Chip[]): string {
  const lines = [title];
  for (let start = 0; start < chips.length && lines.length < 40;) {
    let end = start + 1;
    while (
      end < chips.length && chips[end].role === chips[start].role &&
      chips[end].counted === chips[start].counted
    ) end++;
    const run = chips.slice(start, end);
    const text = run.slice(0, 60).map((chip) => visibleText(chip.text)).join("|");
    lines.push(`  ${describeChips(run)}: ${text}${run.length > 60 ? "|…" : ""}`);
    start = end;
  }
  return lines.join("\n");
}

/** An encoded example, from `encodeExample`. */
export interface ExampleTokens {
  /** The tokens of the prompt. */
  promptIds: readonly number[];
  /** The response and its end token. */
  responseIds: readonly number[];
  /**
   * The number of tokens of the prompt without its response marker, where the mask `"instruction"`
   * ends.
   */
  instructionLength?: number;
  /** The positions of answers in the joined tokens of a conversation. */
  answers?: readonly AnswerSpan[];
}

/**
 * Converts an encoded example to a sequence to show.
 *
 * @param example Prompt and response as token ids.
 * @param tokenizer The model's tokenizer.
 * @param mask Which tokens count; `"prompt"` by default: the response and its end.
 * @returns The sequence for {@linkcode tokenView}.
 */
export function exampleTokens(
  example: ExampleTokens,
  tokenizer: Detokenizer,
  mask: Mask = "prompt",
): TokenSequence {
  const { promptIds, responseIds, answers, instructionLength = promptIds.length } = example;
  const ids = [...promptIds, ...responseIds];
  const ranges = countedRanges({ promptIds, responseIds, answers, instructionLength }, mask);
  const spans = answers ?? [{ start: promptIds.length, end: ids.length }];
  return {
    tokens: ids.map((id) => tokenText(id, tokenizer)),
    roles: ids.map((_, i): TokenRole => {
      const span = spans.find(({ start, end }) => i >= start && i < end);
      return span === undefined ? "prompt" : i === span.end - 1 ? "end" : "response";
    }),
    counted: ids.map((_, i) => ranges.some(([start, end]) => i >= start && i < end)),
    ids,
    label: `mask "${mask}"`,
  };
}

/**
 * Shows an example under several masks, one below another.
 *
 * @param example Prompt and response as token ids.
 * @param tokenizer The model's tokenizer.
 * @param masks The masks, `["prompt"]` by default.
 * @param options Title, and how much is shown.
 * @returns The view.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { encodeExample, gpt2Tokenizer } from "tunebook";
 * import * as show from "tunebook/show";
 *
 * const tokenizer = gpt2Tokenizer();
 * const entry = { instruction: "Name a colour.", input: "", output: "Blue." };
 * const view = show.maskView(encodeExample(entry, tokenizer), tokenizer, ["none", "prompt"]);
 * assertStringIncludes(view.text, "Blue");
 * ```
 */
export function maskView(
  example: ExampleTokens,
  tokenizer: Detokenizer,
  masks: readonly Mask[] = ["prompt"],
  options: TokenViewOptions = {},
): View {
  return tokenView(masks.map((mask) => exampleTokens(example, tokenizer, mask)), options);
}
