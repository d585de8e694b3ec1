/**
 * Receipts: a grade with what it was reached from, signed with the course's key, so that it can be checked and reached
 * again.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import { z } from "zod";
import type { GradeLimits } from "./autograde.ts";
import { GRADE_LIMITS } from "./autograde.ts";

const points = z.number();
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const receiptSchema = z.strictObject({
  kind: z.literal("tunebook grade receipt"),
  version: z.literal(1),
  course: z.string(),
  assignment: z.string(),
  student: z.string(),
  /** Whose work it is, if a group handed it in. */
  submittedBy: z.string(),
  /** When the work was handed in, and when it was due, as ISO 8601. */
  submitted: z.string().optional(),
  due: z.string().optional(),
  /** What the verdicts were reached from. */
  inputs: z.strictObject({
    submission: hash,
    release: hash,
    runtime: z.string(),
    limits: z.strictObject(
      Object.fromEntries(
        Object.keys(GRADE_LIMITS).map((name) => [name, z.number()]),
      ) as Record<keyof GradeLimits, z.ZodNumber>,
    ),
    sandbox: z.boolean(),
  }),
  questions: z.array(z.strictObject({
    notebook: z.string(),
    gradeId: z.string(),
    maxPoints: points,
    /** What grading found: points, and how they came about. */
    verdict: z.strictObject({
      points,
      status: z.string(),
      shared: z.boolean().optional(),
    }).optional(),
    /** What a person decided, which stands in place of the verdict. */
    mark: z.strictObject({ points: points.nullable(), version: z.int() }).optional(),
  })),
  score: z.strictObject({
    ...{ raw: points, latePenalty: points, total: points, max: points },
    waiting: z.int(),
  }),
  issued: z.string(),
});

/** A grade, and what it was reached from. It holds no message of a test, since students receive it. */
export type Receipt = z.infer<typeof receiptSchema>;

const fileSchema = z.strictObject({ receipt: z.unknown(), signature: z.string() });

/** The algorithm of signatures: Ed25519, RFC 8032. */
const ALGORITHM = "Ed25519";

/**
 * Signs a receipt.
 *
 * @param receipt The receipt.
 * @param key The course's private key.
 * @returns The text of the receipt's file: JSON, with the signature.
 */
export async function signReceipt(receipt: Receipt, key: CryptoKey): Promise<string> {
  const signature = await crypto.subtle.sign(ALGORITHM, key, signedBytes(receipt));
  return `${JSON.stringify({ receipt, signature: encodeBase64(signature) }, null, 1)}\n`;
}

/**
 * Reads a receipt that the course has signed.
 *
 * @param text The text of its file.
 * @param key The course's public key.
 * @returns The receipt.
 * @throws {SyntaxError} If the text does not hold a receipt.
 * @throws {ReceiptError} If the course did not sign it so: it was forged, or edited since.
 */
export async function readReceipt(text: string, key: CryptoKey): Promise<Receipt> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError("Cannot read the receipt: it is not JSON", { cause: error });
  }
  const file = fileSchema.safeParse(value);
  if (!file.success) throw new SyntaxError("Cannot read the receipt: it has no signature");
  let signature: Uint8Array<ArrayBuffer>;
  try {
    signature = decodeBase64(file.data.signature);
  } catch (error) {
    throw new SyntaxError("Cannot read the receipt: its signature is not Base64", { cause: error });
  }
  // First the signature: what the course did not sign is not looked at.
  if (!await crypto.subtle.verify(ALGORITHM, key, signature, signedBytes(file.data.receipt))) {
    throw new ReceiptError(
      "The receipt is not this course's: it was forged or edited, or another course signed it",
    );
  }
  const read = receiptSchema.safeParse(file.data.receipt);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new SyntaxError(
    `Cannot read the receipt: ${issue!.path.join(".")}: ${
      issue!.message
    }; another version wrote it`,
  );
}

/** A receipt that the course did not sign. */
export class ReceiptError extends Error {
  override readonly name = "ReceiptError";
}

/** What is signed: the receipt as JSON with sorted keys, so that its layout in a file does not matter. */
function signedBytes(receipt: unknown): Uint8Array<ArrayBuffer> {
  const sorted = JSON.stringify(
    receipt,
    (_, value) =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0))
        : value,
  );
  return new TextEncoder().encode(`tunebook grade receipt\n${sorted}`);
}
