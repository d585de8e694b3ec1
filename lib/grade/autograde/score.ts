/**
 * The score that a test's last value is: a number, or `{ points, message }`.
 *
 * @module
 */

import { parseCell } from "../../runtime/cell_source.ts";
import type { ExecuteResult } from "../../runtime/session/types.ts";
import { type Score, SCORE_MIME } from "../standins/examiner.ts";

/** The score that the examiner has seen. */
export function scoreIn(result?: ExecuteResult): Score | undefined {
  for (const output of result?.outputs ?? []) {
    if (output.output_type !== "execute_result") continue;
    const score = output.data[SCORE_MIME] as { points: unknown; message?: string } | undefined;
    return score && { ...score, points: Number(score.points) };
  }
}

/** The score that a test in the student's process prints as its value: a number, as in nbgrader, or an object. */
export function plainScoreIn(result: ExecuteResult): Score | undefined {
  for (const output of result.outputs) {
    if (output.output_type !== "execute_result") continue;
    const text = String(output.data["text/plain"] ?? "").trim();
    if (text !== "" && Number.isFinite(Number(text))) return { points: Number(text) };
    return objectScore(text);
  }
}

/** Reads `{ points: 2, message: "why" }`, as the kernel prints an object. */
function objectScore(text: string): Score | undefined {
  let expression;
  try {
    ({ expression } = parseCell(`(${text})`).program.body[0]);
  } catch {
    return undefined;
  }
  if (expression?.type !== "ObjectExpression") return undefined;
  const fields = new Map<string, unknown>();
  for (const { type, key, value } of expression.properties) {
    if (type === "ObjectProperty") fields.set(key.name ?? key.value, literal(value));
  }
  const points = fields.get("points"), message = fields.get("message");
  if (typeof points !== "number") return undefined;
  return { points, ...typeof message === "string" && { message } };
}

// deno-lint-ignore no-explicit-any
function literal(node: any): unknown {
  if (node.type === "UnaryExpression" && node.operator === "-") return -Number(node.argument.value);
  return node.type === "TemplateLiteral" ? node.quasis[0]?.value.cooked : node.value;
}
