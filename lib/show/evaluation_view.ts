// A model beside its base: scores with intervals, differences, categories, answers side by side.

import { compareTable } from "./compare_table.ts";
import { table } from "./table.ts";
import { escapeHtml, gridColor, palette, sansSerif } from "./theme.ts";
import { View } from "./view.ts";

/** One metric's score, as `scoreMetrics()` gives it. */
export interface EvaluationScore {
  /** The score of all responses together. */
  readonly corpus: number;
  /** Its interval. */
  readonly interval: readonly [number, number];
  /** All that it depends on. */
  readonly signature: string;
}

/** What {@linkcode evaluationView} shows, as `evaluateAnswers()` of `tunebook/eval` gives it. */
export interface EvaluationLike {
  /** What the models are called. */
  readonly names: { readonly base: string; readonly model: string };
  /** How many entries there are. */
  readonly examples: number;
  /** The base's scores by metric. */
  readonly base: Readonly<Record<string, EvaluationScore>>;
  /** The model's. */
  readonly model: Readonly<Record<string, EvaluationScore>>;
  /** The comparison by each metric. */
  readonly comparisons: readonly {
    readonly metric: string;
    readonly label: string;
    readonly difference: number;
    readonly interval: readonly [number, number];
    readonly adjusted: number;
    readonly smallest: number;
    readonly winner: "a" | "b" | "tied";
  }[];
  /** The scores by category. */
  readonly categories: readonly {
    readonly category: string;
    readonly examples: number;
    readonly base: Readonly<Record<string, EvaluationScore>>;
    readonly model: Readonly<Record<string, EvaluationScore>>;
  }[];
  /** What a judge said. */
  readonly judged?: {
    readonly base: {
      readonly judge: string;
      readonly average: number | null;
      readonly scored: number;
      readonly examples: number;
      readonly signature: string;
    };
    readonly model: {
      readonly average: number | null;
      readonly scored: number;
      readonly examples: number;
    };
    readonly difference: {
      readonly difference: number;
      readonly low: number;
      readonly high: number;
    } | null;
    readonly pairs: {
      readonly a: number;
      readonly b: number;
      readonly ties: number;
      readonly failed: number;
      readonly consistency: number | null;
      readonly p: number;
      readonly winner: "a" | "b" | "tied";
    };
  };
  /** The answers side by side. */
  readonly answers: readonly {
    readonly instruction: string;
    readonly input: string;
    readonly reference: string;
    readonly base: string;
    readonly model: string;
  }[];
  /** Answers to instructions that have no reference, which no score counts. */
  readonly unscored?: readonly {
    readonly instruction: string;
    readonly base: string;
    readonly model: string;
  }[];
}

/**
 * Shows a model beside its base: the scores by every metric with intervals, the differences with a verdict, the categories, and
 * all answers side by side.
 *
 * @param report What `evaluateAnswers()` of `tunebook/eval` gives.
 * @returns The view.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { evaluateAnswers } from "tunebook/eval";
 * import { evaluationView } from "tunebook/show";
 *
 * const responses = [{ instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." }];
 * const report = await evaluateAnswers({ name: "base", responses }, { name: "tuned", responses });
 * assertStringIncludes(evaluationView(report).text, "ROUGE-L");
 * ```
 */
export function evaluationView(report: EvaluationLike): View {
  return new View(() => {
    const parts: { heading: string; view: View; note?: string; picture?: string }[] = [
      {
        heading: "Scores",
        note: explainScores(report),
        view: scoresTable(report),
        picture: differencesPicture(report),
      },
      ...(report.judged ? [{ heading: "Judge", view: judgeTable(report) }] : []),
      ...(report.categories.length > 0
        ? [{ heading: "By category", view: categoriesTable(report) }]
        : []),
      { heading: "Answers", view: answersTable(report) },
      ...(report.unscored?.length
        ? [{ heading: "Answers without a reference", view: unscoredTable(report) }]
        : []),
      { heading: "Signatures", view: signaturesTable(report) },
    ];
    return {
      // The note is not the table's caption: a caption is cut where a table scrolls.
      "text/html": parts.map(({ heading, view: { html }, note, picture = "" }) =>
        `<section><h2>${escapeHtml(heading)}</h2>${
          note === undefined ? "" : `<p>${escapeHtml(note)}</p>`
        }${html}${picture}</section>`
      ).join("\n"),
      "text/plain": parts.map(({ heading, view: { text }, note }) =>
        [heading, ...(note === undefined ? [] : [note]), text].join("\n")
      ).join("\n\n"),
    };
  });
}

/** Digits for a metric's scale: fractions need more than percentages. */
const digitsOf = (values: readonly number[]) => values.every((one) => Math.abs(one) <= 1) ? 4 : 2;

function scoreText({ corpus, interval }: EvaluationScore): string {
  const digits = digitsOf([corpus, ...interval]);
  const [low, high] = interval.map((end) => end.toFixed(digits));
  return `${corpus.toFixed(digits)} [${low}, ${high}]`;
}

function verdictOf(winner: "a" | "b" | "tied", { base, model }: EvaluationLike["names"]): string {
  return winner === "tied" ? "tied" : `${winner === "a" ? base : model} is better`;
}

function scoresTable(report: EvaluationLike): View {
  const { names, base, model, comparisons } = report;
  const rows = comparisons.map(
    ({ metric, label, difference, interval, adjusted, smallest, winner }) => {
      const digits = digitsOf([base[metric].corpus, model[metric].corpus]);
      const [low, high] = interval.map((end) => end.toFixed(digits));
      return {
        metric: label,
        // Second, so that it is in sight on a phone, where a wide table scrolls.
        verdict: verdictOf(winner, names),
        [names.base === names.model ? `${names.base} (base)` : names.base]: scoreText(base[metric]),
        [names.model]: scoreText(model[metric]),
        difference: `${difference.toFixed(digits)} [${low}, ${high}]`,
        p: adjusted.toFixed(4),
        "would show": smallest > 0 ? smallest.toFixed(digits) : "–",
      };
    },
  );
  return table(rows);
}

function explainScores({ examples, names }: EvaluationLike): string {
  return `${examples} examples. Intervals are of 95 %; p-values are adjusted by Holm's method; "would show" is the smallest ` +
    `difference that this many examples would probably show. In the picture, to the right of the middle ${names.model} scores ` +
    "higher; each line has a scale of its own.";
}

/** A line per metric from one end of the difference's interval to the other, and the line of no difference. */
function differencesPicture({ comparisons }: EvaluationLike): string {
  const [width, row, label] = [480, 26, 120]; // legible on a phone, where it is scaled down
  const height = comparisons.length * row + 8;
  const lines = comparisons.map(({ label: name, difference, interval: [low, high], winner }, i) => {
    // Each metric has a scale of its own, with 0 in the middle.
    const most = Math.max(Math.abs(low), Math.abs(high), Math.abs(difference)) || 1;
    const x = (value: number) =>
      (label + (width - label) / 2 * (1 + 0.9 * value / most)).toFixed(1);
    const y = i * row + row / 2 + 4;
    const color = winner === "tied" ? "currentColor" : palette[winner === "b" ? 2 : 1];
    return `<text x="0" y="${
      y + 4
    }" font-size="13" font-family="${sansSerif}" fill="currentColor">${escapeHtml(name)}</text>` +
      `<line x1="${x(low)}" x2="${
        x(high)
      }" y1="${y}" y2="${y}" stroke="${color}" stroke-width="3"/>` +
      `<circle cx="${x(difference)}" cy="${y}" r="5" fill="${color}"/>`;
  });
  const zero = label + (width - label) / 2;
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" style="max-width:100%" role="img" ` +
    `aria-label="The differences with their intervals; the numbers are in the table">` +
    `<line x1="${zero}" x2="${zero}" y1="0" y2="${height}" stroke="${gridColor}" stroke-width="2"/>${
      lines.join("")
    }</svg>`;
}

/** Names of metrics in tables. */
function labelsOf(comparisons: EvaluationLike["comparisons"]): (metric: string) => string {
  return (metric) => comparisons.find((one) => one.metric === metric)?.label ?? metric;
}

function judgeTable({ judged, names }: EvaluationLike): View {
  const { base, model, difference, pairs } = judged!;
  const average = ({ average, scored, examples }: typeof model) =>
    average === null
      ? `no score for any of ${examples} answers`
      : `${average.toFixed(2)} over ${scored} of ${examples} answers`;
  const verdict = pairs.a + pairs.b + pairs.ties === 0
    ? "no verdict on any pair"
    : verdictOf(pairs.winner, names);
  const rows = [
    { question: `mean score of ${names.base}`, answer: average(base) },
    { question: `mean score of ${names.model}`, answer: average(model) },
    {
      question: "difference of the means",
      answer: difference === null
        ? "no pair of scores"
        : `${difference.difference.toFixed(2)} [${difference.low.toFixed(2)}, ${
          difference.high.toFixed(2)
        }]`,
    },
    {
      question: "pairs in both orders",
      answer:
        `${names.base} better ${pairs.a}, ${names.model} better ${pairs.b}, ties ${pairs.ties}, failed ` +
        `${pairs.failed}: ${verdict} (p ${pairs.p.toFixed(4)})`,
    },
    {
      question: "same in both orders",
      answer: pairs.consistency === null ? "–" : `${(100 * pairs.consistency).toFixed(0)} %`,
    },
  ];
  return table(rows, { caption: base.judge });
}

function categoriesTable({ categories, names, comparisons }: EvaluationLike): View {
  const label = labelsOf(comparisons);
  const rows = categories.flatMap(({ category, examples, base, model }) =>
    Object.keys(base).map((metric) => ({
      category,
      examples,
      metric: label(metric),
      [names.base === names.model ? `${names.base} (base)` : names.base]: scoreText(base[metric]),
      [names.model]: scoreText(model[metric]),
    }))
  );
  return table(rows, { maxRows: 500 });
}

function answersTable({ answers, names }: EvaluationLike): View {
  const rows = answers.map(({ instruction, input, reference, base, model }) => ({
    prompt: input === "" ? instruction : `${instruction}\n\n${input}`,
    reference,
    before: base,
    after: model,
  }));
  const labels = { before: names.base, after: names.model };
  return compareTable(rows, { maxRows: 2000, maxCell: 4000, labels });
}

function unscoredTable({ unscored = [], names }: EvaluationLike): View {
  return table(unscored, {
    columns: [
      { label: "Prompt", value: "instruction" },
      { label: names.base, value: "base" },
      { label: names.model, value: "model" },
    ],
    maxRows: 2000,
    maxCell: 4000,
  });
}

function signaturesTable({ model, judged, comparisons }: EvaluationLike): View {
  const label = labelsOf(comparisons);
  const rows = Object.entries(model)
    .map(([metric, { signature }]) => ({ metric: label(metric), signature }));
  if (judged) rows.push({ metric: "judge", signature: judged.base.signature });
  return table(rows);
}
