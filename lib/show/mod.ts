// Everything that shows: charts, live training, progress, tokens and masks, tables.

export {
  barChart,
  type ChartOptions,
  heatmap,
  type HeatmapOptions,
  lineChart,
  scatter,
  type Series,
} from "./charts.ts";
export { histogram, type HistogramOptions } from "./histogram.ts";
export { Figure, figure, type FigureOptions, plotlyMimeType } from "./figure.ts";
export { lossCurve, type LossCurveOptions, type LossRecord } from "./loss_curve.ts";
export { LiveTraining, liveTraining, type LiveTrainingOptions, type StepRecord } from "./live.ts";
export { Progress, progress, type ProgressOptions } from "./progress.ts";
export { enableLivePlotly } from "./live_plotly.ts";
export {
  type ExampleTokens,
  exampleTokens,
  maskView,
  type TokenRole,
  type TokenSequence,
  tokenView,
  type TokenViewOptions,
} from "./token_view.ts";
export { batchView, type BatchViewOptions, type PaddedBatchLike } from "./batch_view.ts";
export {
  attentionView,
  type ForestBatchLike,
  forestView,
  type ForestViewOptions,
} from "./forest_view.ts";
export { type TokenDecoder, tokenText, visibleText } from "./token_text.ts";
export { type ProfileLike, profileView } from "./profile_view.ts";
export { table, type TableColumn, type TableOptions } from "./table.ts";
export { type CompareOptions, compareTable, type Comparison } from "./compare_table.ts";
export { frames, type FramesOptions, type FrameValue, MAX_FRAMES } from "./frames.ts";
export { jupyterDisplay, type MimeBundle, View } from "./view.ts";
export {
  type BarTrace,
  type HeatmapTrace,
  type PlotlyAxis,
  type PlotlyLayout,
  type PlotlyLine,
  type PlotlyTrace,
  type ScatterTrace,
} from "./plotly.ts";
