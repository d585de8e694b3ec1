/**
 * Reading what clients send.
 *
 * @module
 */

import { z } from "zod";
import { clientLeft, RequestError } from "./errors.ts";

/**
 * Reads a request's body.
 *
 * @param request The request.
 * @param most The most bytes.
 * @returns The value that its JSON holds.
 * @throws {RequestError} If it is longer, or not JSON in UTF-8.
 */
export async function readJson(request: Request, most: number): Promise<unknown> {
  const tooLong = (found: number | string) =>
    new RequestError(
      413,
      `Cannot read the request: its body has ${found} bytes, expected at most ${most}`,
    );
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > most) throw tooLong(length);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.length;
      if (size > most) throw tooLong(`more than ${most}`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof RequestError ? error : clientLeft(); // a body that breaks off
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RequestError(400, "Cannot read the request: its body is not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const found = text === ""
      ? "its body is empty"
      : `its body is not JSON: ${error instanceof Error ? error.message : error}`;
    throw new RequestError(400, `Cannot read the request: ${found}`);
  }
}

/**
 * Checks a request against what is known of its form.
 *
 * @param schema The form.
 * @param json The request's body.
 * @returns The request.
 * @throws {RequestError} If a field is missing, unknown or wrong; the message names it.
 */
export function parseRequest<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const param = [...issue.path, issue.keys[0]].join(".");
    throw new RequestError(
      400,
      `Cannot honour "${param}": this server does not know it; leave it out`,
      { param, code: "unknown_parameter" },
    );
  }
  const where = at === "" ? "the request" : `"${at}"`;
  const message = issue.message.replace(/^(Invalid input|Too small|Too big): /, "");
  throw new RequestError(400, `Cannot read ${where}: ${message}`, at === "" ? {} : { param: at });
}

/**
 * A field that is understood, but that this server cannot honour: only values that ask for nothing pass.
 *
 * @param neutral Values besides `null` and a missing one that ask for nothing.
 * @returns The field's form.
 */
export function unsupported(...neutral: unknown[]): z.ZodType<unknown> {
  const isNeutral = (value: unknown) =>
    value === undefined || value === null ||
    neutral.some((one) => JSON.stringify(one) === JSON.stringify(value));
  return z.unknown().refine(isNeutral, {
    error: ({ input }) =>
      `this server cannot honour ${JSON.stringify(input)?.slice(0, 60)}, expected ${
        ["nothing", ...neutral.map((one) => JSON.stringify(one))].join(" or ")
      }`,
  }).optional();
}

/** A field that changes nothing that is computed, such as the number of threads. */
export const IGNORED: z.ZodType<unknown> = z.unknown().optional();

/** Temperature, for both kinds of requests. */
export const TEMPERATURE: z.ZodType<number | null | undefined> = z.number().min(0).nullish();
/** The probability of nucleus sampling. */
export const TOP_P: z.ZodType<number | null | undefined> = z.number().gt(0).max(1).nullish();
/** The least probability of a token, as a share of the most likely one's. */
export const MIN_P: z.ZodType<number | null | undefined> = z.number().min(0).max(1).nullish();
/** A penalty as OpenAI allows it. */
export const PENALTY: z.ZodType<number | null | undefined> = z.number().min(-2).max(2).nullish();
/** A seed. */
export const SEED: z.ZodType<number | null | undefined> = z.int().nullish();
