/**
 * Views for notebooks: charts, live training, progress, tokens and masks, tables.
 *
 * ```ts
 * import * as show from "tunebook/show";
 * ```
 *
 * @module
 */

export { batchView, type BatchViewOptions } from "./batch_view.ts";
export {
  barChart,
  type ChartOptions,
  heatmap,
  type HeatmapOptions,
  lineChart,
  scatter,
  type Series,
} from "./charts.ts";
export type { TokenRole } from "./chips.ts";
export { type CompareOptions, compareTable, type Comparison } from "./compare_table.ts";
export { type Figure, figure, type FigureOptions } from "./figure.ts";
export { type EvaluationLike, type EvaluationScore, evaluationView } from "./evaluation_view.ts";
export { explorationView } from "./exploration_view.ts";
export { attentionView, forestView, type ForestViewOptions } from "./forest_view.ts";
export { frames, type FramesOptions, type FrameValue } from "./frames.ts";
export { histogram, type HistogramOptions } from "./histogram.ts";
export { type LiveTraining, liveTraining, type LiveTrainingOptions } from "./live.ts";
export { enableLivePlotly } from "./live_plotly.ts";
export { lossCurve, type LossCurveOptions } from "./loss_curve.ts";
export type {
  BarTrace,
  HeatmapTrace,
  PlotlyAxis,
  PlotlyLayout,
  PlotlyLine,
  PlotlyTitle,
  PlotlyTrace,
  ScatterTrace,
} from "./plotly.ts";
export { type ProfileLike, profileView } from "./profile_view.ts";
export { type Progress, progress, type ProgressOptions } from "./progress.ts";
export type { StepRecord } from "./step_record.ts";
export { table, type TableColumn, type TableOptions } from "./table.ts";
export { type Detokenizer, tokenText, visibleText } from "./token_text.ts";
export {
  type ExampleTokens,
  maskView,
  type TokenSequence,
  tokenView,
  type TokenViewOptions,
} from "./token_view.ts";
export { topicLosses } from "./topic_losses.ts";
export { type MimeBundle, View } from "./view.ts";
