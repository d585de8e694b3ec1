// Tokens as chips: one small box per token, with runs of the same kind.

import { escapeHtml, monospace, palette, sansSerif } from "./theme.ts";
import { visibleText } from "./token_text.ts";

/** The role of a token in its sequence. */
export type TokenRole = "prompt" | "response" | "end" | "padding";

/** One token to draw. */
export interface Chip {
  text: string;
  role: TokenRole;
  /** Whether the loss counts the prediction of this token. */
  counted: boolean;
  id?: number;
  /** How often it counts, if more than once. */
  count?: number;
  /** Its position in the sequence, from 0. */
  position?: number;
  /** A token that is only predicted and never read. */
  targetOnly?: boolean;
}

/** Translucent backgrounds, for light and dark pages. */
const backgrounds: Record<TokenRole, string> = {
  prompt: "rgba(128,128,128,0.2)",
  response: "rgba(59,125,216,0.3)",
  end: "rgba(148,103,212,0.4)",
  padding: "rgba(128,128,128,0.08)",
};

/** Counted tokens are underlined as well as coloured, so that colours need not be distinguished. */
const countedBorder = `3px solid ${palette[2]}`;
const uncountedBorder = "3px solid rgba(128,128,128,0)";

/** The styles of all token views, scoped by their classes. */
export const chipStyle = `<style>
.tb-tokens{font-family:${sansSerif};font-size:13px;line-height:1.5;margin:6px 8px}
.tb-tokens .tb-line{font-family:${monospace};font-size:12.5px;line-height:2.05;overflow-wrap:anywhere}
.tb-tokens .tb-run{background:none!important;border:0!important;padding:0!important}
.tb-tokens .tb-t{border-radius:3px;padding:2px 1px;margin:0 1px;border:0!important;border-bottom:${uncountedBorder}!important;white-space:pre-wrap;unicode-bidi:isolate}
${
  Object.entries(backgrounds).map(([role, color]) =>
    `.tb-tokens .tb-${role} .tb-t{background:${color}}`
  )
    .join("\n")
}
.tb-tokens .tb-padding .tb-t{opacity:.7;outline:1px dashed rgba(128,128,128,0.6);outline-offset:-1px}
.tb-tokens .tb-counted .tb-t{border-bottom:${countedBorder}!important}
.tb-tokens .tb-target .tb-t{background:none;outline:1px dotted currentColor;outline-offset:-1px}
.tb-tokens .tb-times{font-size:10px;vertical-align:super;opacity:.85}
.tb-tokens .tb-caption{opacity:.85;margin:8px 0 2px}
.tb-tokens details{margin:2px 0}
.tb-tokens summary{cursor:pointer;font-family:${sansSerif};font-size:12px;opacity:.85}
.tb-tokens .tb-seq{max-width:960px}
</style>`.replace(/\n/g, "");

/**
 * Draws tokens as chips.
 *
 * @param chips The tokens.
 * @param options `fold`: the number of tokens after which the rest is folded; `middle`: whether to
 * fold the middle instead of the end.
 * @returns HTML; a token with a line end also breaks the line here.
 */
export function chipsHtml(
  chips: readonly Chip[],
  options: { fold?: number; middle?: boolean } = {},
): string {
  const { fold = Infinity, middle = false } = options;
  if (chips.length <= fold + 4) return runsHtml(chips);
  const head = middle ? Math.ceil(fold / 2) : fold;
  const tail = middle ? chips.length - Math.floor(fold / 2) : chips.length;
  const folded = chips.slice(head, tail);
  return `${runsHtml(chips.slice(0, head))}<details><summary>${
    folded.length.toLocaleString("en-US")
  } more tokens (${describeChips(folded)})</summary>${runsHtml(folded)}</details>${
    runsHtml(chips.slice(tail))
  }`;
}

function runsHtml(chips: readonly Chip[]): string {
  let html = "";
  for (let start = 0; start < chips.length;) {
    const { role, counted, targetOnly } = chips[start];
    let end = start + 1;
    while (
      end < chips.length && chips[end].role === role && chips[end].counted === counted &&
      chips[end].targetOnly === targetOnly
    ) end++;
    const classes = `tb-run tb-${role}${counted ? " tb-counted" : ""}${
      targetOnly ? " tb-target" : ""
    }`;
    // The inline style is only visible if the page strips the style sheet, as JupyterLab does for
    // untrusted notebooks.
    const style = `background:${backgrounds[role]};padding:2px 0${
      counted ? `;border-bottom:${countedBorder}` : ""
    }`;
    html += `<span class="${classes}" style="${style}" role="group" aria-label="${
      describeChips(chips.slice(start, end))
    }">${
      chips.slice(start, end).map((chip, i) => chipHtml(chip, chips[start + i + 1])).join("")
    }</span>`;
    start = end;
  }
  return html;
}

function chipHtml(chip: Chip, next: Chip | undefined): string {
  // The line breaks where the text's line ends; empty lines are left out.
  const ends = chip.text.endsWith("\n") && !(next && /^\n+$/.test(next.text));
  const { text, id, count = 1, position, counted, role, targetOnly } = chip;
  const title = [
    position === undefined ? "" : `position ${position}`,
    id === undefined ? "" : `id ${id}`,
    targetOnly ? "only predicted" : role,
    counted ? (count > 1 ? `counts ${count} times` : "counts") : "does not count",
  ].filter(Boolean).join(", ");
  const times = count > 1 ? `<sup class="tb-times">×${count}</sup>` : "";
  return `<span class="tb-t" style="border-right:1px solid #888" title="${title}">${
    escapeHtml(visibleText(text))
  }${times}</span>${ends ? "<br>" : "<wbr>"}`;
}

/** @returns For example `24 prompt tokens, 5 response tokens that count`. */
export function describeChips(chips: readonly Chip[]): string {
  const kinds = new Map<string, number>();
  for (const { role, counted } of chips) {
    const key = `${role}${counted ? "+" : ""}`;
    kinds.set(key, (kinds.get(key) ?? 0) + 1);
  }
  return [...kinds].map(([key, n]) => {
    const noun = key.startsWith("end") ? "end" : key.replace("+", "");
    const verb = key.endsWith("+") ? (n === 1 ? " that counts" : " that count") : "";
    return `${n.toLocaleString("en-US")} ${noun} token${n === 1 ? "" : "s"}${verb}`;
  }).join(", ");
}

/**
 * Explains chips.
 *
 * @param roles The roles that occur.
 * @param extra Whether there are tokens that are only predicted, or count several times.
 * @returns HTML.
 */
export function legendHtml(
  roles: Iterable<TokenRole>,
  extra: { targetOnly?: boolean; times?: boolean } = {},
): string {
  const names: Record<TokenRole, string> = {
    prompt: "prompt",
    response: "response",
    end: "end of text",
    padding: "padding",
  };
  const sample = (classes: string, text: string, role: TokenRole, border = "") =>
    `<span class="tb-run ${classes}" style="background:${
      backgrounds[role]
    }${border}"><span class="tb-t">${text}</span></span>`;
  const present = new Set(roles);
  const items = (Object.keys(names) as TokenRole[]).filter((role) => present.has(role))
    .map((role) => sample(`tb-${role}`, `&nbsp;${names[role]}&nbsp;`, role));
  const border = `;border-bottom:${countedBorder}`;
  items.push(
    `${
      sample("tb-response tb-counted", "&nbsp;underlined&nbsp;", "response", border)
    } counts in the loss`,
  );
  if (extra.targetOnly) {
    items.push(
      `${
        sample("tb-response tb-counted tb-target", "&nbsp;dotted&nbsp;", "padding", border)
      } only predicted, never read`,
    );
  }
  if (extra.times) items.push("×2 counts twice: two sequences share it");
  items.push("· space", "↵ line end");
  return `<div class="tb-legend" style="font-size:12px;margin:2px 0 4px 0">${
    items.map((item) => `<span style="display:inline-block;margin:0 12px 2px 0">${item}</span>`)
      .join("")
  }</div>`;
}
