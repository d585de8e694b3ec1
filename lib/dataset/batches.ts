/** Which examples share a batch, and the order of batches. */
import { Random } from "../random.ts";
import { readText } from "./load.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** Options of {@linkcode orderBatches}. */
export interface BatchOptions {
  /**
   * How many examples a batch has.
   *
   * @default {8}
   */
  batchSize?: number;
  /**
   * The order of examples: unchanged, shuffled again for each epoch, or given batches of indices.
   *
   * @default {"shuffled"}
   */
  order?: "given" | "shuffled" | readonly (readonly number[])[];
  /**
   * The seed of the shuffling, together with `epoch`.
   *
   * @default {123}
   */
  seed?: number;
  /**
   * The epoch, from 0; each is shuffled differently.
   *
   * @default {0}
   */
  epoch?: number;
  /**
   * Whether an incomplete last batch is left out, as in the training of Raschka's chapter 7.
   *
   * @default {false}
   */
  dropLast?: boolean;
}

/** The names of {@linkcode BatchOptions}. */
export const BATCH_OPTIONS: OptionNames<BatchOptions> = {
  batchSize: true,
  order: true,
  seed: true,
  epoch: true,
  dropLast: true,
};

/**
 * The batches of one epoch.
 *
 * @param count How many examples there are.
 * @param options Size, order and seed.
 * @returns One array of example indices per batch.
 * @throws {RangeError} If the size is not a positive integer, if `dropLast` leaves no batch, or if a
 * given order names an example that does not exist.
 *
 * @example 935 examples in batches of eight, the last seven left out
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { orderBatches } from "tunebook";
 *
 * assertEquals(orderBatches(935, { batchSize: 8, dropLast: true }).length, 116);
 * ```
 */
export function orderBatches(count: number, options: BatchOptions = {}): number[][] {
  assertKnownOptions("order batches", options, BATCH_OPTIONS);
  const { batchSize = 8, order = "shuffled", seed = 123, epoch = 0, dropLast = false } = options;
  if (typeof order !== "string") return checkOrder(order, count, "order");
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`Cannot batch by ${batchSize}: batchSize must be a positive integer`);
  }
  const indices = Array.from({ length: count }, (_, i) => i);
  if (order === "shuffled") new Random([seed, epoch]).shuffle(indices);
  else if (order !== "given") {
    throw new RangeError(`Cannot order by "${order}": orders are "given", "shuffled", or batches`);
  }
  const full = dropLast ? count - count % batchSize : count;
  const batches: number[][] = [];
  for (let start = 0; start < full; start += batchSize) {
    batches.push(indices.slice(start, start + batchSize));
  }
  if (batches.length === 0) {
    throw new RangeError(
      `Cannot make a full batch of ${batchSize} from ${count} examples: ` +
        "take a smaller batchSize, or keep the last batch",
    );
  }
  return batches;
}

/**
 * Reads an order from a JSON file: an array of batches, each an array of example indices.
 *
 * @param path The file.
 * @param count How many examples there are.
 * @returns The batches.
 * @throws {SyntaxError} If the file is not JSON.
 * @throws {TypeError} If it is not an array of arrays.
 * @throws {RangeError} If a batch is empty or names an example that does not exist.
 */
export async function readOrder(path: string, count: number): Promise<number[][]> {
  const text = await readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot read "${path}" as JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return checkOrder(value, count, path);
}

function checkOrder(value: unknown, count: number, name: string): number[][] {
  if (!Array.isArray(value) || value.some((batch) => !Array.isArray(batch))) {
    throw new TypeError(
      `Cannot use the order "${name}": expected an array of batches, each an array of indices`,
    );
  }
  if (value.length === 0) throw new RangeError(`Cannot use the order "${name}": it has no batches`);
  for (const [at, batch] of value.entries()) {
    if (batch.length === 0) {
      throw new RangeError(
        `Cannot use the order "${name}": batch ${at + 1} of ${value.length} is empty`,
      );
    }
    for (const index of batch) {
      if (!Number.isInteger(index) || index < 0 || index >= count) {
        throw new RangeError(
          `Cannot use the order "${name}": batch ${at + 1} of ${value.length} has ` +
            `${JSON.stringify(index)}, and examples are 0 to ${count - 1}`,
        );
      }
    }
  }
  return value.map((batch) => [...batch]);
}
