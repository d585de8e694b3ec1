/** Data sets: load, explore, split, encode, batch. */
export * from "./batches.ts";
export { type ChatEntry, type DatasetEntry, isChatEntry, parseDataset } from "./chat_entry.ts";
export * from "./collate.ts";
export * from "./encode.ts";
export { type InstructionEntry, parseEntries } from "./entry.ts";
export * from "./explore.ts";
export * from "./forest.ts";
export { loadDataset, loadEntries, type LoadOptions } from "./load.ts";
export { findNearDuplicates, type NearDuplicate, wordSimilarity } from "./near_duplicates.ts";
export * from "./split.ts";
