// A progress bar with numbers, in HTML without scripts.

import { escapeHtml, palette, sansSerif, warning } from "./theme.ts";

/** The content of a progress bar. */
export interface Status {
  /** From 0 to 1; without it there is no bar. */
  fraction: number | undefined;
  facts: readonly (readonly [label: string, value: string])[];
  /** Numbers that differ between runs; they are marked so that comparisons can ignore them. */
  timings: readonly (readonly [label: string, value: string])[];
  broken?: boolean;
  finished: boolean;
  /** The name of the work, before the numbers. */
  label?: string;
}

/**
 * Writes a progress bar and its numbers.
 *
 * @param status The current state.
 * @returns HTML with inline styles only, which JupyterLab keeps in untrusted notebooks. Numbers
 * that depend on time have the class `tb-timing`.
 */
export function statusHtml(status: Status): string {
  const { fraction, facts, timings, broken, finished, label } = status;
  const color = broken ? warning : finished ? palette[2] : palette[0];
  const percent = Math.floor(100 * (fraction ?? 0));
  const bar = fraction === undefined
    ? ""
    : `<div class="tb-bar" role="progressbar" aria-valuenow="${percent}" aria-valuemin="0" aria-valuemax="100" style="height:6px;border-radius:3px;background:rgba(128,128,128,0.25);max-width:768px;margin:4px 0 6px 0"><div style="height:6px;border-radius:3px;width:${percent}%;background:${color}"></div></div>`;
  const number = ([name, value]: readonly [string, string], style = "") =>
    `<span class="tb-number${style}" style="display:inline-block;margin:0 18px 2px 0">${
      escapeHtml(name)
    } <b>${escapeHtml(value)}</b></span>`;
  const alarm = broken
    ? `<div class="tb-alarm" style="color:${warning};font-weight:bold;margin:2px 0">The loss is not a number: lower the learning rate or look at the last batch</div>`
    : "";
  const title = label
    ? `<span style="display:inline-block;margin:0 18px 2px 0">${escapeHtml(label)}</span>`
    : "";
  return `<div class="tb-status" style="font-family:${
    escapeHtml(sansSerif)
  };font-size:13px;line-height:1.5;margin:4px 8px">${bar}${title}${
    facts.map((fact) => number(fact)).join("")
  }${timings.map((fact) => number(fact, " tb-timing")).join("")}${alarm}</div>`;
}
