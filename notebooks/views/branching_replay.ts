// The branching replay of chapter 6: the same random draws under other sampling settings. Each step is a bar of
// cumulated probabilities with a needle at the draw; where a needle hits another token, the text branches off.

import { escape } from "@std/html/entities";
import { type Network, Random, type Tokenizer } from "tunebook";
import { frames, type FrameValue, tokenText, View, visibleText } from "tunebook/show";
import { nextLogits } from "./next_tokens.ts";
import { scrolling } from "./scrolling.ts";

/** How a token is drawn. */
interface Settings {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
}

/** A step of the replay: candidates from the most likely down, and the position of the needle. */
interface Draw {
  readonly candidates: { id: number; probability: number }[];
  readonly needle: number;
  readonly chosen: number;
}

/** What the replay goes through. */
export interface ReplayOptions {
  /** The text that is continued. */
  readonly prompt: string;
  /** Tokens to add, 8 by default. */
  readonly steps?: number;
  /** Decides the draws, 123 by default. */
  readonly seed?: number;
  readonly temperatures?: readonly number[];
  /** 0 stands for no limit. */
  readonly topKs?: readonly number[];
  readonly topPs?: readonly number[];
}

/**
 * Shows how settings change a text that is drawn with the same random numbers.
 *
 * @param model The model.
 * @param tokenizer Its tokenizer.
 * @param options Prompt and settings.
 * @returns Sliders for temperature, top-k and top-p.
 */
export async function branchingReplay(
  model: Network,
  tokenizer: Tokenizer,
  options: ReplayOptions,
): Promise<View> {
  const { steps = 8, seed = 123, temperatures = [0.2, 0.5, 0.8, 1, 1.5] } = options;
  const { topKs = [0, 20, 3], topPs = [1, 0.8] } = options;
  const random = new Random(seed);
  const needles = Array.from({ length: steps }, () => random.float());
  const prompt = tokenizer.encode(options.prompt);
  const known = new Map<string, Guess>(); // many settings pass through the same texts
  const replays = new Map<string, Draw[]>();
  for (const temperature of temperatures) {
    for (const topK of topKs) {
      for (const topP of topPs) {
        const draws: Draw[] = [];
        const ids = [...prompt];
        for (const needle of needles) {
          const key = ids.join();
          if (!known.has(key)) known.set(key, sorted(await nextLogits(model, ids)));
          const draw = drawToken(known.get(key)!, { temperature, topK, topP }, needle);
          draws.push(draw);
          ids.push(draw.chosen);
          if (draw.chosen === tokenizer.eosId) break; // the text is closed
        }
        replays.set(keyOf({ temperature, topK, topP }), draws);
      }
    }
  }
  const text = (id: number) => visibleText(tokenText(id, tokenizer));
  const base = replays.get(keyOf({ temperature: 1, topK: 0, topP: 1 })) ??
    replays.values().next().value!;
  return frames(
    { temperature: temperatures, topK: topKs, topP: topPs },
    (settings) => drawReplay(replays.get(keyOf(settings as Settings))!, base, text),
    {
      title: `“${options.prompt} …”, drawn with the same random numbers`,
      start: { temperature: 1 },
      labels: { topK: "top-k", topP: "top-p" },
      format: (value: FrameValue, name) => name === "topK" && value === 0 ? "all" : String(value),
    },
  );
}

/** A model's guess, and its tokens from the most likely down. */
interface Guess {
  readonly logits: Float32Array;
  readonly order: Uint32Array;
}

function sorted(logits: Float32Array): Guess {
  const order = Uint32Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  return { logits, order };
}

/** Scales, cuts and draws, as `chooseToken` of the library does. */
function drawToken({ logits, order }: Guess, settings: Settings, needle: number): Draw {
  const { temperature, topK, topP } = settings;
  const kept = topK > 0 ? order.subarray(0, topK) : order;
  const weights = Float64Array.from(
    kept,
    (id) => Math.exp((logits[id] - logits[order[0]]) / temperature),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let count = 0;
  let mass = 0;
  while (count < kept.length && mass < topP * (1 - 1e-9)) mass += weights[count++] / total;
  const candidates = Array.from(kept.subarray(0, count), (id, i) => ({
    id,
    probability: weights[i] / total / mass,
  }));
  let at = 0;
  let sum = candidates[0].probability;
  while (at < candidates.length - 1 && sum <= needle) sum += candidates[++at].probability;
  return { candidates, needle, chosen: candidates[at].id };
}

const [WIDTH, LANE, LEFT, BAR] = [640, 34, 110, 520];
const FILLS = ["#3b7dd8", "#5b8fd6", "#7ba4dc", "#9ab9e2", "#b9cde9", "#d3dff0"];

function drawReplay(draws: readonly Draw[], base: readonly Draw[], text: (id: number) => string) {
  const flip = draws.findIndex(({ chosen }, i) => chosen !== base[i]?.chosen);
  const rows = draws.map(({ candidates, needle, chosen }, step) => {
    const y = 8 + step * LANE;
    let from = 0;
    let bars = "";
    for (const [i, { id, probability }] of candidates.entries()) {
      const width = probability * BAR;
      if (width < 3 || i >= 40) break; // the long tail is the empty rest of the bar
      const label = escape(text(id));
      bars += `<rect x="${(LEFT + from).toFixed(1)}" y="${y}" width="${
        width.toFixed(1)
      }" height="20" fill="${
        FILLS[Math.min(i, 5)]
      }" stroke="#fff" stroke-width=".5"><title>${label}: ${
        (100 * probability).toFixed(1)
      } %</title></rect>`;
      if (label.length * 7 + 6 < width) {
        bars += `<text x="${(LEFT + from + 3).toFixed(1)}" y="${y + 14}" fill="${
          i < 2 ? "#fff" : "#111"
        }">${label}</text>`;
      }
      from += width;
    }
    const at = (LEFT + needle * BAR).toFixed(1);
    const branched = flip >= 0 && step >= flip;
    return `<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end" fill="currentColor"${
      branched ? ' font-weight="700"' : ""
    }>${branched ? "▸ " : ""}${escape(text(chosen))}</text>` +
      `<rect x="${LEFT}" y="${y}" width="${BAR}" height="20" fill="none" stroke="currentColor" stroke-opacity=".4"/>` +
      `${bars}<path d="M${at} ${y - 4}v28" stroke="#d9534f" stroke-width="2"/>`;
  });
  const said = draws.map(({ chosen }) => text(chosen)).join("");
  const branch = flip < 0
    ? "the same text as at temperature 1 without limits"
    : `branches off at token ${flip + 1}`;
  const alt = `The text continues: ${said}; ${branch}.`;
  const height = 8 + draws.length * LANE;
  return new View(() => ({
    "text/html": `<p style="margin:4px 0;font-size:13px">… <b>${escape(said)}</b> · ${branch}</p>${
      scrolling(
        `<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img" aria-label="${
          escape(alt)
        }" style="width:100%;max-width:${WIDTH}px;min-width:440px;height:auto" font-family="ui-monospace,monospace" font-size="11">${
          rows.join("")
        }</svg>`,
      )
    }`,
    "text/plain": alt,
  }));
}

const keyOf = ({ temperature, topK, topP }: Settings) => `${temperature} ${topK} ${topP}`;
