/**
 * Data sets: loading, exploring, splitting, encoding, batches.
 *
 * @module
 */

export {
  balancedWeights,
  oversample,
  type Oversampled,
  type OversampleOptions,
  weighByTopic,
} from "./balance.ts";
export { type BatchOptions, orderBatches } from "./batches.ts";
export {
  type Cleaned,
  cleanEntries,
  type CleaningChange,
  type CleanOptions,
  type EntryFinding,
} from "./clean.ts";
export {
  type Correction,
  type CorrectionOptions,
  proposeCorrections,
  type ProposedCorrections,
  readCorrections,
  writeCorrections,
} from "./corrections.ts";
export type { Teacher, TeacherRequest } from "./augment/teacher.ts";
export { paraphraseByRules, type RuleOptions } from "./augment/rules.ts";
export {
  type PairProposalOptions,
  type ParaphraseOptions,
  type Proposal,
  type Proposals,
  proposePairs,
  proposeParaphrases,
  type RejectedReply,
} from "./augment/propose.ts";
export { readProposals, type ReviewedProposals, writeProposals } from "./augment/review.ts";
export {
  labelBySelfConsistency,
  type MajorityAnswer,
  majorityAnswer,
  type MajorityOptions,
  type PseudoLabel,
  type PseudoLabelled,
  type PseudoLabelOptions,
} from "./augment/pseudo_labels.ts";
export { type Normalization, normalizeText } from "./normalize.ts";
export {
  findPersonalData,
  maskPersonalData,
  type PersonalFinding,
  type PersonalKind,
  type PersonalOptions,
} from "./personal_data.ts";
export { readReview, writeReview } from "./review.ts";
export { type ChatEntry, type DatasetEntry, isChatEntry, isTextEntry } from "./chat_entry.ts";
export { collate, type CollateOptions, IGNORE_INDEX, type PaddedBatch } from "./collate.ts";
export { dedupeEntries, type DedupeOptions, type Deduplication, type Duplicate } from "./dedupe.ts";
export {
  type EncodedExample,
  encodeExample,
  encodeExamples,
  encodePrompt,
  type EntryFormat,
} from "./encode.ts";
export type { DataFile } from "./origin.ts";
export type { CarriedFields, InstructionEntry, TextEntry } from "./entry.ts";
export {
  type BatchTotals,
  type Exploration,
  exploreEntries,
  type ExploreOptions,
  type Summary,
  totalBatches,
} from "./explore.ts";
export type { NGram, Vocabulary } from "./vocabulary.ts";
export type { Outlier, OutlierMeasure } from "./outliers.ts";
export { inspectExamples, type Inspection, type InspectOptions } from "./inspect.ts";
export { type BatchLayout, forest, type ForestOptions } from "./forest.ts";
export type { ForestBatch } from "../forest.ts";
export {
  type DatasetReport,
  describeReport,
  type FieldOptions,
  type FormName,
} from "./forms/mod.ts";
export {
  loadDataset,
  type LoadedDataset,
  type LoadedPreferences,
  loadEntries,
  type LoadOptions,
  loadPreferences,
  readDataset,
  readPreferences,
} from "./load.ts";
export {
  findLeaks,
  findNearDuplicates,
  type Leak,
  type NearDuplicate,
  type NearDuplicateOptions,
  type PartEntry,
  wordSimilarity,
} from "./near_duplicates.ts";
export { parseDataset, parseEntries, parsePreferences } from "./parse.ts";
export {
  type EncodedPair,
  encodePreferences,
  type PreferenceBatch,
  type PreferenceEntry,
  preferenceForest,
  type PreferenceForestOptions,
  withAnswer,
} from "./preferences.ts";
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
export { writeDataset, type WriteOptions, type WrittenForm } from "./write.ts";
