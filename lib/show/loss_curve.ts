// The loss curve of a training run.

import { assertArray } from "../kind_of.ts";
import { CHART_OPTIONS, type ChartOptions, layoutOf } from "./charts.ts";
import { type Figure, figure } from "./figure.ts";
import { plotlyText, type PlotlyTrace } from "./plotly.ts";
import { niceTicks, tickLabels } from "./svg/scale.ts";
import { formatNumber, palette, warning } from "./theme.ts";
import type { StepRecord } from "./step_record.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** Options of a loss curve. */
export interface LossCurveOptions extends ChartOptions {
  /**
   * The number of steps that the smoothed line averages over; 1 draws no such line. By default a
   * twentieth of the steps, if there are at least 40.
   */
  smoothing?: number;
  /** The end of the x axis, so that a curve grows from left to right during training. */
  totalSteps?: number;
}

/** The names of {@linkcode LossCurveOptions}. */
export const LOSS_CURVE_OPTIONS: OptionNames<LossCurveOptions> = {
  ...CHART_OPTIONS,
  smoothing: true,
  totalSteps: true,
};

/**
 * Draws the training loss by step, the validation losses, and, along the top, the number of tokens
 * computed so far. A loss that is not a number is marked with a cross.
 *
 * @param history The steps so far, in order: `training.history`, or the records of another loop.
 * @param options Titles and smoothing.
 * @returns The chart.
 * @throws {RangeError} If `smoothing` is not a whole number of steps, at least 1.
 *
 * @example
 * ```ts
 * import { lossCurve } from "tunebook/show";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const curve = lossCurve([
 *   { step: 1, loss: 3.5, evaluation: { validationLoss: 3.6 }, tokensComputed: 280 },
 *   { step: 2, loss: 2.5, tokensComputed: 280 },
 * ]);
 * assertStringIncludes(curve.text, "training, 2 points, from 3.5 to 2.5");
 * ```
 */
export function lossCurve(
  history: readonly StepRecord[],
  options: LossCurveOptions = {},
): Figure {
  assertKnownOptions("draw a loss curve", options, LOSS_CURVE_OPTIONS);
  assertArray("draw a loss curve of", history, "steps, such as training.history");
  const usual = history.length >= 40 ? Math.ceil(history.length / 20) : 1;
  const smoothing = options.smoothing ?? usual;
  if (!(Number.isInteger(smoothing) && smoothing >= 1)) {
    throw new RangeError(
      `Cannot smooth: smoothing must be a whole number of steps, at least 1, got ${smoothing}`,
    );
  }
  const steps = history.map(({ step }) => step);
  const losses = history.map(({ loss }) => loss);
  const traces: PlotlyTrace[] = [{
    type: "scatter",
    mode: history.length === 1 ? "markers" : "lines",
    name: "training",
    x: steps,
    y: losses,
    line: { color: palette[0], width: smoothing > 1 ? 1 : 2 },
    ...(smoothing > 1 ? { opacity: 0.6 } : {}),
  }];
  if (smoothing > 1) {
    traces.push({
      type: "scatter",
      mode: "lines",
      name: `training, mean of ${smoothing} steps`,
      x: steps,
      y: smooth(losses, smoothing),
      line: { color: palette[0], width: 2.5 },
    });
  }
  const validated = history.filter((record) => Number.isFinite(validationLossOf(record)));
  if (validated.length > 0) {
    traces.push({
      type: "scatter",
      mode: validated.length > 60 ? "lines" : "lines+markers",
      name: "validation",
      x: validated.map(({ step }) => step),
      y: validated.map(validationLossOf),
      line: { color: palette[1], dash: "dash" },
      marker: { symbol: "diamond", size: 6 },
    });
  }
  const broken = history.filter(({ loss, evaluation }) =>
    !Number.isFinite(loss) || !Number.isFinite(evaluation?.validationLoss ?? 0)
  );
  if (broken.length > 0) {
    const top = losses.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0);
    traces.push({
      type: "scatter",
      mode: "markers",
      name: "not a number",
      x: broken.map(({ step }) => step),
      y: broken.map(() => top),
      marker: { symbol: "x", size: 9, color: warning },
    });
  }
  const layout = layoutOf({ xLabel: "step", yLabel: "loss (nats per token)", ...options });
  if (options.totalSteps !== undefined && history.length > 0) {
    layout.xaxis = {
      ...layout.xaxis,
      range: [Math.min(steps[0], 1), Math.max(options.totalSteps, steps[steps.length - 1])],
    };
  }
  const upper = tokenAxis(history, options.totalSteps);
  if (upper) {
    layout.xaxis2 = upper;
    // Plotly draws an axis only if it has a trace.
    traces.push({
      type: "scatter",
      mode: "lines",
      x: [steps[0], steps[steps.length - 1]],
      y: [losses.find(Number.isFinite) ?? 0, losses.findLast(Number.isFinite) ?? 0],
      xaxis: "x2",
      opacity: 0,
      showlegend: false,
      hoverinfo: "skip",
    });
  }
  const alt = options.alt ?? sentence(history, validated, broken.length, options.title);
  return figure(traces, layout, { alt });
}

/**
 * Means over centred windows around each step. The windows shrink towards the ends, so that the
 * line neither lags behind the curve nor deviates from it.
 */
function smooth(values: readonly number[], window: number): number[] {
  return values.map((value, i) => {
    if (!Number.isFinite(value)) return NaN;
    const reach = Math.min(window >> 1, i, values.length - 1 - i);
    const near = values.slice(i - reach, i + reach + 1).filter(Number.isFinite);
    return near.reduce((sum, one) => sum + one, 0) / near.length;
  });
}

/** An axis along the top with the number of tokens computed by each step. */
function tokenAxis(history: readonly StepRecord[], totalSteps: number | undefined) {
  if (history.length < 2 || history.some(({ tokensComputed }) => !(tokensComputed! >= 0))) {
    return undefined;
  }
  let seen = 0;
  const totals = history.map(({ tokensComputed }) => seen += tokensComputed!);
  // During a run the curve takes only part of the axis, so there are fewer ticks.
  const part = totalSteps ? Math.min(1, history.length / totalSteps) : 1;
  const values = niceTicks(totals[0], seen, 1 + Math.ceil(5 * part))
    .filter((value) => value >= totals[0] && value > 0);
  if (values.length === 0) return undefined;
  const positions = values.map((value) => {
    const after = totals.findIndex((total) => total >= value);
    if (after <= 0) return history[0].step;
    const part = (value - totals[after - 1]) / (totals[after] - totals[after - 1] || 1);
    const [from, to] = [history[after - 1].step, history[after].step];
    return Number((from + part * (to - from)).toPrecision(7));
  });
  return {
    title: { text: plotlyText("tokens computed") },
    overlaying: "x" as const,
    side: "top" as const,
    matches: "x" as const,
    tickvals: positions,
    ticktext: tickLabels(values),
    showgrid: false,
  };
}

function sentence(
  history: readonly StepRecord[],
  validated: readonly StepRecord[],
  broken: number,
  title: string | undefined,
): string {
  const name = `Loss curve${title ? ` “${title}”` : ""}`;
  if (history.length === 0) return `${name} without steps.`;
  const [first, last] = [history[0], history[history.length - 1]];
  const points = `${formatNumber(history.length)} ${history.length === 1 ? "point" : "points"}`;
  const parts = [
    `training, ${points}, from ${formatNumber(first.loss)} to ${formatNumber(last.loss)}`,
  ];
  if (validated.length > 0) {
    const [from, to] = [validated[0], validated[validated.length - 1]].map((r) =>
      formatNumber(validationLossOf(r))
    );
    parts.push(validated.length === 1 ? `validation ${to}` : `validation from ${from} to ${to}`);
  }
  if (broken > 0) {
    const steps = broken === 1 ? "1 step" : `${formatNumber(broken)} steps`;
    parts.push(`${steps} with a loss that is not a number`);
  }
  return `${name}: ${parts.join("; ")}; steps ${formatNumber(first.step)} to ${
    formatNumber(last.step)
  }.`;
}

/** The validation loss measured at a step; NaN if there is none. */
const validationLossOf = ({ evaluation }: StepRecord): number => evaluation?.validationLoss ?? NaN;
