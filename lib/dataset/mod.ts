/**
 * Data sets: loading, exploring, splitting, encoding, batches.
 *
 * @module
 */

export { type BatchOptions, orderBatches } from "./batches.ts";
export type { ChatEntry, DatasetEntry } from "./chat_entry.ts";
export { collate, type CollateOptions, IGNORE_INDEX, type PaddedBatch } from "./collate.ts";
export { dedupeEntries, type DedupeOptions, type Deduplication, type Duplicate } from "./dedupe.ts";
export {
  type EncodedExample,
  encodeExample,
  encodeExamples,
  encodePrompt,
  type EntryFormat,
} from "./encode.ts";
export { type InstructionEntry, parseEntries } from "./entry.ts";
export {
  type BatchTotals,
  type Exploration,
  exploreEntries,
  type Summary,
  totalBatches,
} from "./explore.ts";
export { type BatchLayout, forest, type ForestOptions } from "./forest.ts";
export type { ForestBatch } from "../forest.ts";
export { loadDataset, loadEntries, type LoadOptions } from "./load.ts";
export {
  findLeaks,
  findNearDuplicates,
  type Leak,
  type NearDuplicate,
  type NearDuplicateOptions,
  type PartEntry,
  wordSimilarity,
} from "./near_duplicates.ts";
export {
  type BatchSizes,
  type CountOptions,
  type LengthReport,
  reportLengths,
} from "./sequences.ts";
export { type Split, splitEntries, type SplitOptions, type SplitOrder } from "./split.ts";
export {
  type Grouping,
  groupsOf,
  type GroupsOptions,
  strataOf,
  type Stratum,
} from "./split_labels.ts";
export { writeDataset } from "./write.ts";
