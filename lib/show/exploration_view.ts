// A data set before training: lengths, topics, words, duplicates and outliers, each as a table and a chart.

import type { DatasetEntry } from "../dataset/chat_entry.ts";
import type { Exploration, Summary } from "../dataset/explore.ts";
import type { NGram } from "../dataset/vocabulary.ts";
import { textOf } from "../dataset/word_bags.ts";
import { barChart, lineChart, scatter } from "./charts.ts";
import { type Figure, plotlyMimeType } from "./figure.ts";
import { staticFigureHtml } from "./figure_html.ts";
import { histogram } from "./histogram.ts";
import type { PlotlyLayout, PlotlyTrace } from "./plotly.ts";
import { table } from "./table.ts";
import { escapeHtml, formatNumber } from "./theme.ts";
import { View } from "./view.ts";

/** A part of the view. */
interface Section {
  readonly heading: string;
  readonly views: readonly View[];
}

/** The most rows of a table, and bars of a chart. */
const [ROWS, BARS] = [20, 20];

/**
 * Shows what `exploreEntries()` found: lengths in tokens and characters, topics and tasks, n-grams, the vocabulary, exact and
 * near duplicates, and outliers, each as a table and a chart.
 *
 * @param found The statistics.
 * @param entries The entries that they are of.
 * @returns The view.
 * @throws {RangeError} If the number of entries is another one.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { exploreEntries, gpt2Tokenizer } from "tunebook";
 * import { explorationView } from "tunebook/show";
 *
 * const entry = { instruction: "Name a colour.", input: "", output: "Blue." };
 * const entries = [entry, entry];
 * const view = explorationView(exploreEntries(entries, gpt2Tokenizer()), entries);
 * assertStringIncludes(view.text, "name a colour");
 * ```
 */
export function explorationView(found: Exploration, entries: readonly DatasetEntry[]): View {
  if (found.entries !== entries.length) {
    throw new RangeError(
      `Cannot show statistics of ${found.entries} entries beside ${entries.length} entries: expected the same ones`,
    );
  }
  return new View(() => {
    const sections = [
      lengths(found),
      topics(found),
      words(found),
      vocabulary(found),
      duplicates(found, entries),
      outliers(found, entries),
    ];
    return {
      "text/html": sections.map(({ heading, views }) =>
        `<section><h2>${escapeHtml(heading)}</h2>${views.map(htmlOf).join("\n")}</section>`
      ).join("\n"),
      "text/plain": sections.map(({ heading, views }) =>
        [heading, ...views.map(({ text }) => text)].join("\n\n")
      ).join("\n\n"),
    };
  });
}

/** A view for a page without scripts. */
function htmlOf(view: View): string {
  const figure = view.bundle[plotlyMimeType] as
    | { data: readonly PlotlyTrace[]; layout: PlotlyLayout }
    | undefined;
  return figure === undefined ? view.html : staticFigureHtml(figure, view.text);
}

function lengths({ tokens, characters }: Exploration): Section {
  const row = (unit: string, of: string, { min, median, mean, p95, max }: Summary) => ({
    ...{
      unit,
      of,
      least: min,
      median,
      mean: Number(mean.toFixed(1)),
      "95 % up to": p95,
      most: max,
    },
  });
  const rows = [
    ...Object.entries(tokens).map(([of, summary]) => row("tokens", of, summary)),
    ...Object.entries(characters).map(([of, summary]) => row("characters", of, summary)),
  ];
  const values = { prompt: tokens.prompt.values, response: tokens.response.values };
  return {
    heading: "Lengths",
    views: [table(rows), histogram(values, { xLabel: "tokens", yLabel: "entries" })],
  };
}

function topics({ topics, openings }: Exploration): Section {
  const bars = (pairs: readonly (readonly [string, number])[], yLabel: string) =>
    barChart(pairs.slice(0, BARS), { horizontal: true, xLabel: "entries", yLabel });
  const named = topics.map(({ topic, count }) => ({ topic: topic ?? "without a topic", count }));
  return {
    heading: "Topics and tasks",
    views: [
      ...(named.length > 0
        ? [
          table(named, { maxRows: ROWS }),
          bars(named.map(({ topic, count }) => [topic, count]), "topic"),
        ]
        : []),
      table(openings, { caption: "The first two words of instructions", maxRows: ROWS }),
      ...(openings.length > 0
        ? [bars(openings.map(({ words, count }) => [words, count]), "opening")]
        : []),
    ],
  };
}

function words({ ngrams }: Exploration): Section {
  const views = (["prompt", "response"] as const).flatMap((part) => {
    const [ones, twos, threes] = ngrams[part];
    const cell = (of: readonly NGram[], i: number) =>
      of[i] === undefined ? "" : `${of[i].words} (${formatNumber(of[i].count)})`;
    const rows = Array.from(
      { length: Math.max(ones.length, twos.length, threes.length) },
      (_, i) => ({
        ...{
          "one word": cell(ones, i),
          "two words": cell(twos, i),
          "three words": cell(threes, i),
        },
      }),
    );
    return [
      table(rows, { caption: `The most common words of each ${part}, with how often they occur` }),
      ...(threes.length > 0
        ? [
          barChart(threes.slice(0, BARS).map(({ words, count }) => [words, count] as const), {
            horizontal: true,
            xLabel: `occurrences in ${part}s`,
          }),
        ]
        : []),
    ];
  });
  return { heading: "N-grams", views };
}

function vocabulary({ vocabulary }: Exploration): Section {
  const parts = (["prompt", "response"] as const).map((part) => [part, vocabulary[part]] as const);
  const rows = parts.map(([part, { words, distinct, once }]) => ({
    ...{ of: `${part}s`, words, "different words": distinct, "words that occur once": once },
    "different per 100": words === 0 ? null : Number((100 * distinct / words).toFixed(1)),
  }));
  const series = parts.map(([name, { growth }]) => ({
    name: `${name}s`,
    x: growth.map(({ words }) => words),
    y: growth.map(({ distinct }) => distinct),
  }));
  return {
    heading: "Vocabulary",
    views: [table(rows), lineChart(series, { xLabel: "words read", yLabel: "different words" })],
  };
}

function duplicates(
  { duplicates, nearDuplicates, conflicts, entries: count }: Exploration,
  entries: readonly DatasetEntry[],
): Section {
  const more = duplicates.reduce((sum, group) => sum + group.length - 1, 0);
  const inPairs = new Set(nearDuplicates.flatMap(({ first, second }) => [first, second]));
  const inConflict = conflicts.reduce((sum, group) => sum + group.length, 0);
  const kinds: [string, number][] = [
    ["equal to an earlier one", more],
    ["nearly equal to another", inPairs.size],
    ["same question, different answers", inConflict],
  ];
  const rows = kinds.map(([kind, number]) => ({
    ...{ kind, entries: number, share: `${(100 * number / count).toFixed(1)} %` },
  }));
  const listed = (groups: readonly (readonly number[])[], caption: string) =>
    groups.length === 0 ? [] : [table(
      groups.map((group) => ({ entries: numbersOf(group), text: excerpt(entries[group[0]]) })),
      { caption, maxRows: ROWS },
    )];
  const near = nearDuplicates.map(({ first, second, similarity }) => ({
    similarity,
    ...{ first: first + 1, text: excerpt(entries[first]), second: second + 1 },
    like: excerpt(entries[second]),
  }));
  return {
    heading: "Duplicates",
    views: [
      table(rows),
      barChart(kinds, { horizontal: true, xLabel: "entries" }),
      ...listed(duplicates, "Equal entries"),
      ...(near.length > 0
        ? [table(near, { caption: "Pairs that share most of their words", maxRows: ROWS })]
        : []),
      ...listed(conflicts, "Entries that ask the same"),
    ],
  };
}

function outliers(
  { outliers, tokens }: Exploration,
  entries: readonly DatasetEntry[],
): Section {
  const rows = outliers.map(({ index, measure, value, fences }) => ({
    ...{ entry: index + 1, measure, value: Number(value.toFixed(2)) },
    "others are within": fences.map((end) => formatNumber(Math.max(0, Number(end.toFixed(2)))))
      .join(
        " to ",
      ),
    text: excerpt(entries[index]),
  }));
  const chart: Figure = scatter(tokens.prompt.values, tokens.response.values, {
    xLabel: "tokens of the prompt",
    yLabel: "tokens of the response",
  });
  return {
    heading: "Outliers",
    views: [
      table(rows, {
        caption: rows.length === 0
          ? "None: no length is more than three interquartile ranges from the middle half"
          : "More than three interquartile ranges from the middle half",
        maxRows: ROWS,
      }),
      chart,
    ],
  };
}

/** Numbers of entries, counted from 1; of many the first ten. */
function numbersOf(indices: readonly number[]): string {
  const shown = indices.slice(0, 10).map((index) => index + 1).join(", ");
  return indices.length > 10 ? `${shown} and ${indices.length - 10} more` : shown;
}

function excerpt(entry: DatasetEntry): string {
  const line = textOf(entry).replace(/\s+/g, " ").trim();
  return line.length <= 120 ? line : `${line.slice(0, 119)}…`;
}
