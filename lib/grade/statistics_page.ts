/**
 * The page that describes an assignment's scores: distribution, questions, how well each tells students apart, and how
 * long tests took. It names no student.
 *
 * @module
 */

import { escapeHtml } from "../runtime/report/html.ts";
import { renderStaticPage } from "./page.ts";
import type { AssignmentScore, QuestionScore } from "./scores.ts";
import { type Distribution, distribution, itemDiscrimination } from "./statistics.ts";

/** A bar chart to draw. */
export interface BarChart {
  /** What it shows, in one sentence. */
  readonly alt: string;
  /** What a bar stands for. */
  readonly labels: readonly (string | number)[];
  /** The bars' lengths. */
  readonly values: readonly number[];
  readonly labelTitle: string;
  readonly valueTitle: string;
  /** Whether the bars lie, one under the other, so that long labels fit. */
  readonly lying: boolean;
}

/** Draws a chart as one `<svg>` element in the colour of the page's text; all labels stay text. */
export type DrawBars = (chart: BarChart) => string;

/** What is known of one question. */
export interface QuestionStatistics {
  readonly name: string;
  readonly maxPoints: number;
  /** The points of those whose work is graded and marked. */
  readonly points: Distribution;
  /** See {@linkcode itemDiscrimination}; NaN where it is not defined. */
  readonly discrimination: number;
  /** How many answers wait for a person. */
  readonly waiting: number;
  /** Seconds that its tests took; undefined if a person marks it. */
  readonly seconds?: Distribution;
}

/** What is known of an assignment. */
export interface AssignmentStatistics {
  readonly assignment: string;
  readonly max: number;
  readonly students: number;
  /** How many have handed in. */
  readonly submitted: number;
  /** How many of those were late. */
  readonly late: number;
  /** How many scores are not final, since answers wait. */
  readonly waiting: number;
  /** The scores of those who have handed in. */
  readonly scores: readonly number[];
  readonly total: Distribution;
  readonly questions: readonly QuestionStatistics[];
  /** Seconds that all tests of a submission took. */
  readonly seconds: readonly number[];
}

/**
 * Describes the scores of an assignment. A student who has handed in nothing is counted, and is left out of all distributions.
 *
 * @param scores The scores of all students.
 * @param titleOf What a question is called.
 * @returns The statistics.
 */
export function describeScores(
  scores: readonly AssignmentScore[],
  titleOf: (cell: QuestionScore["cell"]) => string = ({ gradeId }) => gradeId,
): AssignmentStatistics {
  const submitted = scores.filter(({ submission }) => submission !== undefined);
  const totals = submitted.map(({ total }) => total);
  const cells = scores[0]?.questions.map(({ cell }) => cell) ?? [];
  return {
    assignment: scores[0]?.assignment ?? "",
    max: scores[0]?.max ?? 0,
    students: scores.length,
    submitted: submitted.length,
    late: submitted.filter(({ lateDays }) => lateDays > 0).length,
    waiting: submitted.filter(({ waiting }) => waiting > 0).length,
    scores: totals,
    total: distribution(totals),
    questions: cells.map((cell, i) => {
      const done = submitted.filter(({ questions }) => !questions[i]!.waiting);
      const points = done.map(({ questions }) => questions[i]!.points);
      const seconds = cell.manual
        ? []
        : submitted.flatMap(({ questions }) => questions[i]!.verdict?.seconds ?? []);
      return {
        name: titleOf(cell),
        maxPoints: cell.maxPoints,
        points: distribution(points),
        discrimination: itemDiscrimination(points, done.map(({ raw }) => raw)),
        waiting: submitted.length - done.length,
        ...seconds.length > 0 && { seconds: distribution(seconds) },
      };
    }),
    seconds: submitted.map(({ questions }) =>
      questions.reduce((sum, { verdict }) => sum + (verdict?.seconds ?? 0), 0)
    ),
  };
}

/**
 * Writes the page.
 *
 * @param statistics One entry per assignment.
 * @param draw Draws the charts.
 * @param name The course's name.
 * @returns The text of one HTML file, which runs no script and fetches nothing.
 */
export function renderStatistics(
  statistics: readonly AssignmentStatistics[],
  draw: DrawBars,
  name: string,
): string {
  const links = statistics.length < 2
    ? ""
    : `<ul class="gr-contents">${
      statistics.map(({ assignment }, i) =>
        `<li><a href="#assignment-${i + 1}">${escapeHtml(assignment)}</a></li>`
      ).join("")
    }</ul>`;
  return renderStaticPage({
    title: `Scores: ${name}`,
    body: `<div class="gr-statistics">${links}${
      statistics.map((one, i) => section(one, i + 1, draw)).join("")
    }</div>`,
  });
}

function section(one: AssignmentStatistics, number: number, draw: DrawBars): string {
  const { assignment, students, submitted, late, waiting, total, max, questions, scores } = one;
  const facts = [
    `${submitted} of ${students} students handed in`,
    late > 0 ? `${late} late` : "",
    waiting > 0 ? `${waiting} scores are not final, since answers wait to be marked` : "",
  ].filter((fact) => fact !== "").join(" · ");
  const head = `<section id="assignment-${number}" aria-labelledby="assignment-${number}-title">` +
    `<h2 id="assignment-${number}-title">${
      escapeHtml(assignment)
    }</h2><p class="gr-note">${facts}</p>`;
  if (submitted === 0) return `${head}</section>\n`;
  const figure = (title: string, chart: BarChart) =>
    `<h3>${title}</h3><figure class="gr-chart"><div class="table-scroll" role="group" tabindex="0" aria-label="${title}, chart">${
      draw(chart)
    }</div></figure>`;
  const bins = histogram(scores, max);
  const seconds = histogram(one.seconds, Math.max(...one.seconds), true);
  const names = distinctNames(questions);
  const shares = questions.map(({ points, maxPoints }) =>
    maxPoints > 0 && points.count > 0 ? 100 * points.mean / maxPoints : 0
  );
  return head +
    `<dl class="gr-facts">${
      ([
        ["Mean", total.mean],
        ["Standard deviation", total.standardDeviation],
        [
          "Median",
          total.median,
        ],
        ["Lowest", total.minimum],
        ["Highest", total.maximum],
        ["Of", max],
      ] as const)
        .map(([what, value]) => `<div><dt>${what}</dt><dd>${shown(value)}</dd></div>`).join("")
    }</dl>` +
    figure("Distribution", {
      alt: `How many students have which score: ${sentence(bins)}`,
      ...bins,
      labelTitle: "Points",
      valueTitle: "Students",
      lying: false,
    }) +
    questionTable(questions, names) +
    figure("Points by question", {
      alt: `The mean share of points by question: ${
        names.map((name, i) => `${name} ${Math.round(shares[i]!)} %`).join(", ")
      }`,
      labels: names,
      values: shares,
      labelTitle: "",
      valueTitle: "Mean share of the points, %",
      lying: true,
    }) +
    figure("Discrimination", {
      alt: `How well each question tells students apart: ${
        questions.map(({ discrimination }, i) => `${names[i]} ${shown(discrimination)}`).join(", ")
      }`,
      labels: names,
      values: questions.map(({ discrimination }) =>
        Number.isNaN(discrimination) ? 0 : discrimination
      ),
      labelTitle: "",
      valueTitle: "Correlation with the rest of the score",
      lying: true,
    }) +
    `<p class="gr-note">Discrimination is the correlation of a question's points with the points of all other ` +
    `questions. Below 0.2, a question says little about who knows the subject; below 0, read it again. It is not ` +
    `defined where all have the same points.</p>` +
    (one.seconds.some((time) => time > 0)
      ? figure("Times", {
        alt: `How long a submission's tests took, in seconds: ${sentence(seconds)}`,
        ...seconds,
        labelTitle: "Seconds that the tests took",
        valueTitle: "Submissions",
        lying: false,
      })
      : "") +
    "</section>\n";
}

/** The questions' names; a name that several have is numbered, since charts tell bars apart by it. */
function distinctNames(questions: readonly QuestionStatistics[]): string[] {
  const counts = Map.groupBy(questions, ({ name }) => name);
  return questions.map((question, i) =>
    counts.get(question.name)!.length === 1 ? question.name : `${i + 1} ${question.name}`
  );
}

function questionTable(
  questions: readonly QuestionStatistics[],
  names: readonly string[],
): string {
  const heads = ["Of", "Mean", "Median", "Discrimination", "Waiting", "Median s", "Longest s"];
  const rows = questions.map((one, i) => {
    const { points, seconds } = one;
    const values = [one.maxPoints, points.mean, points.median, one.discrimination, one.waiting]
      .map(shown);
    const times = [seconds?.median ?? NaN, seconds?.maximum ?? NaN].map(shown);
    return `<tr><th scope="row">${escapeHtml(names[i]!)}</th>${
      [...values, ...times].map((text) => `<td class="nb-number">${text}</td>`).join("")
    }</tr>`;
  });
  return `<h3>Questions</h3><div class="table-scroll" role="group" tabindex="0" aria-label="Questions"><table><thead><tr>` +
    `<th scope="col">Question</th>${
      heads.map((head) => `<th scope="col" class="nb-number">${head}</th>`).join("")
    }</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** The most bars of a histogram. */
const MAX_BINS = 20;

/** Counts values in bins of a round width, named by where they begin. */
function histogram(
  values: readonly number[],
  max: number,
  fine = false,
): { labels: string[]; values: number[] } {
  const top = Math.max(max, ...values, fine ? 1e-3 : 1);
  const width = roundSteps(fine).find((step) => top / step <= MAX_BINS)!;
  const bins = Math.floor(top / width) + 1;
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) counts[Math.min(bins - 1, Math.floor(value / width + 1e-9))]!++;
  return { labels: counts.map((_, i) => shown(i * width)), values: counts };
}

function* roundSteps(fine: boolean): Generator<number> {
  for (let power = fine ? 1e-4 : 1; power < 1e12; power *= 10) {
    yield* [1, 2, 5].map((digit) => digit * power);
  }
}

function sentence({ labels, values }: { labels: string[]; values: number[] }): string {
  return labels.flatMap((label, i) => values[i] === 0 ? [] : [`${values[i]} from ${label}`])
    .join(", ");
}

/** A number with at most two decimals, or three digits if it is small. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const rounded = Math.abs(value) < 0.1
    ? Number(value.toPrecision(2))
    : Math.round(value * 100) / 100;
  return String(rounded).replace("-", "−");
}
