// One view for every setting of some controls: sliders, buttons and switches over views that are
// drawn in advance.

import player from "./frames_player.js" with { type: "text" };
import { escapeHtml, sansSerif } from "./theme.ts";
import { type MimeBundle, View } from "./view.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** A control's value: numbers get a slider, strings get buttons, `[false, true]` gets a switch. */
export type FrameValue = string | number | boolean;

/** How frames are shown. */
export interface FramesOptions<Settings extends Record<string, FrameValue>> {
  /** The title above the controls; plain text. */
  title?: string;
  /** The values shown at first, and without scripts; the first values by default. */
  start?: Partial<Settings>;
  /** A control's label; its key by default. */
  labels?: Partial<Record<keyof Settings, string>>;
  /** Formats a control's values. */
  format?: (value: FrameValue, control: keyof Settings) => string;
}

/** The names of {@linkcode FramesOptions}. */
export const FRAMES_OPTIONS: OptionNames<FramesOptions<never>> = {
  title: true,
  start: true,
  labels: true,
  format: true,
};

/** The most frames of one view: each is stored in the notebook. */
export const MAX_FRAMES = 240;

type Controls<Settings> = { [Name in keyof Settings]: readonly Settings[Name][] };

/**
 * The widened type of a literal type, so that `["a", "b"]` gives `string`.
 *
 * @internal
 */
type Settings<C extends Record<string, readonly FrameValue[]>> = {
  [Name in keyof C]: C[Name][number];
};

/**
 * Shows one of many views at a time, chosen by controls. All are drawn in advance and stored, so
 * that they work without a kernel: in a report, in print (the open one), without scripts (as folded
 * sections).
 *
 * @param controls The values of each control. There is a frame for each combination.
 * @param draw Draws the view of a combination.
 * @param options Title, initial values, labels.
 * @returns The view.
 * @throws {RangeError} If there is no frame, there are more than {@linkcode MAX_FRAMES}, or `start`
 * is not a value of a control.
 *
 * @example
 * ```ts
 * import { frames, table } from "tunebook/show";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const view = frames({ epoch: [1, 2, 3] }, ({ epoch }) => table([{ epoch, loss: 1 / epoch }]));
 * assertStringIncludes(view.html, 'class="tb-control tb-slider"');
 * ```
 */
export function frames<const C extends Record<string, readonly FrameValue[]>>(
  controls: C,
  draw: (settings: Settings<C>) => View,
  options: FramesOptions<Settings<C>> = {},
): View {
  assertKnownOptions("show frames", options, FRAMES_OPTIONS);
  const names = Object.keys(controls);
  const combinations = product(names, controls as Controls<Settings<C>>);
  if (combinations.length === 0 || combinations.length > MAX_FRAMES) {
    throw new RangeError(
      `Cannot show ${combinations.length} frames: expected 1 to ${MAX_FRAMES}; give controls fewer values`,
    );
  }
  const start = names.map((name) => {
    const wanted = options.start?.[name];
    const index = wanted === undefined ? 0 : controls[name].indexOf(wanted);
    if (index < 0) {
      throw new RangeError(
        `Cannot start with "${name}" ${JSON.stringify(wanted)}: expected one of ${
          JSON.stringify(controls[name])
        }`,
      );
    }
    return index;
  });
  const write = (value: FrameValue, name: string) => options.format?.(value, name) ?? String(value);
  const label = (name: string) => options.labels?.[name] ?? name;
  return new View((): MimeBundle => {
    const drawn = combinations.map((places) => {
      const settings = Object.fromEntries(
        names.map((name, i) => [name, controls[name][places[i]]]),
      );
      const title = names.map((name, i) =>
        typeof controls[name][places[i]] === "boolean"
          ? (controls[name][places[i]] ? label(name) : `not ${label(name)}`)
          : `${label(name)} ${write(controls[name][places[i]], name)}`
      ).join(", ");
      const view = draw(settings as Settings<C>);
      return { places, title, view, first: places.every((place, i) => place === start[i]) };
    });
    const bars = names.map((name) => {
      const kind = kindOf(controls[name]);
      const values = controls[name].map((value) =>
        `<span>${escapeHtml(write(value, name))}</span>`
      );
      return `<p class="tb-control tb-${kind}"><b>${escapeHtml(label(name))}</b>: ${
        values.join(" ")
      }</p>`;
    });
    const sections = drawn.map(({ places, title, view, first }) =>
      `<details class="tb-frame tb-at-${places.join("-")}"${first ? " open" : ""}><summary>${
        escapeHtml(title)
      }</summary>${withoutScripts(view.html)}</details>`
    );
    const heading = options.title
      ? `<div class="tb-title"><b>${escapeHtml(options.title)}</b></div>`
      : "";
    const shown = drawn.find(({ first }) => first)!;
    return {
      "text/html": `<div class="tb-frames">${style}${heading}<div class="tb-controls">${
        bars.join("")
      }</div>${
        sections.join("")
      }<script>(() => {${player}playFrames(document.currentScript.parentElement);})();</script></div>`,
      "text/plain": [
        ...(options.title ? [options.title] : []),
        `${shown.title} (one of ${drawn.length} frames)`,
        shown.view.text,
      ].join("\n"),
    };
  });
}

/** Indices of values, one list per combination; the last control varies fastest. */
function product<S>(names: string[], controls: Controls<S>): number[][] {
  return names.reduce<number[][]>(
    (places, name) =>
      places.flatMap((place) => controls[name as keyof S].map((_, i) => [...place, i])),
    [[]],
  );
}

function kindOf(values: readonly FrameValue[]): "slider" | "buttons" | "toggle" {
  if (values.length === 2 && values[0] === false && values[1] === true) return "toggle";
  return values.every((value) => typeof value === "number") ? "slider" : "buttons";
}

/** A frame's own scripts would run while it is hidden, so charts are static drawings here. */
function withoutScripts(html: string): string {
  return html.replace(/<script[^>]*>[^]*?<\/script>/g, "");
}

const style = `<style>
.tb-frames{font-family:${sansSerif};font-size:13px;margin:6px 8px}
.tb-frames .tb-controls{display:flex;flex-wrap:wrap;gap:4px 20px;margin:4px 0 8px}
.tb-frames .tb-control{display:flex;flex-wrap:wrap;align-items:center;gap:4px 6px;margin:0}
.tb-frames .tb-control button{font:inherit;color:inherit;background:rgba(128,128,128,0.12);border:1px solid rgba(128,128,128,0.5);border-radius:4px;padding:2px 10px;cursor:pointer}
.tb-frames .tb-control button[aria-pressed="true"]{background:#2f6fc4;border-color:#2f6fc4;color:#fff}
.tb-frames .tb-control button:disabled{opacity:.4;cursor:default}
.tb-frames .tb-control input[type="range"]{width:180px;max-width:30vw;accent-color:#2f6fc4}
.tb-frames .tb-control output{min-width:3em}
.tb-frames .tb-frame>summary{cursor:pointer;opacity:.85;margin:4px 0}
.tb-frames.tb-playing .tb-frame>summary{display:none}
@media print{.tb-frames{break-inside:avoid}.tb-frames .tb-controls{break-after:avoid}.tb-frames:not(.tb-playing) .tb-controls{display:none}.tb-frames.tb-playing .tb-frame>summary{display:block}}
</style>`.replace(/\n/g, "");
