/**
 * Code that looks as if it was written against the grader: what an instructor may want to read. It is
 * found in the text, so a submission can hide it; the verdict does not rest on it.
 *
 * @module
 */

import type { Notebook } from "../runtime/notebook.ts";
import { parseCell } from "../runtime/cell_source.ts";
import { type Finding, readGradeMetadata, roleOf } from "./metadata.ts";
import { BRIDGE } from "./standins/bridge.ts";
import { EXAMINER, SCORE_MIME } from "./standins/examiner.ts";
import { MESSAGE_TYPE } from "./standins/messages.ts";

/** Texts that only somebody who thinks of the grader writes. */
const GRADER_TEXTS = [BRIDGE, EXAMINER, SCORE_MIME, MESSAGE_TYPE, "comm_msg"];

/** What leaves or ends the process, or looks around in it. */
const DENO_MEMBERS = new Set(
  ["Command", "UnsafePointer", "connect", "dlopen", "exit", "kill", "listen", "pid", "ppid"],
);

/** The language's own objects. */
const BUILT_IN = new Set([
  ...Object.getOwnPropertyNames(globalThis).filter((name) => /^[A-Z]/.test(name)),
  "globalThis",
]);

/** The most findings on one cell. */
const MOST = 5;

// deno-lint-ignore no-explicit-any
type Node = any;

/**
 * Finds cells whose code reaches for the grader or changes the language.
 *
 * @param notebook The submission; cells that students cannot change are left out.
 * @returns What was found, with its cell.
 */
export function findSuspicious(notebook: Notebook): Finding[] {
  return notebook.cells.flatMap((cell, index) => {
    const metadata = readGradeMetadata(cell);
    const role = roleOf(metadata);
    if (cell.cell_type !== "code" || role === "test" || role === "locked") return [];
    const gradeId = metadata?.grade_id || undefined;
    return [...suspicionsOf(cell.source)].slice(0, MOST)
      .map((message) => ({ index, gradeId, message }));
  });
}

function suspicionsOf(source: string): Set<string> {
  const found = new Set<string>();
  for (const text of GRADER_TEXTS) {
    if (source.includes(text)) {
      found.add(`The cell names "${text}", which matters only to a notebook that is graded`);
    }
  }
  if (source.includes("/proc/")) found.add('The cell names files of "/proc"');
  let next: Node[];
  try {
    next = [parseCell(source).program];
  } catch {
    return found; // It has a syntax error and does not run, or is nested too deep to be read.
  }
  for (let node = next.pop(); node !== undefined; node = next.pop()) {
    look(node, found);
    for (const part of Object.values<Node>(node)) {
      if (Array.isArray(part)) next.push(...part.filter((one) => typeof one?.type === "string"));
      else if (typeof part?.type === "string") next.push(part);
    }
  }
  return found;
}

function look(node: Node, found: Set<string>) {
  if (node.type === "MemberExpression" && node.object.name === "Deno") {
    const name = memberName(node);
    if (DENO_MEMBERS.has(name)) found.add(`The cell uses "Deno.${name}"`);
  } else if (node.type === "AssignmentExpression") {
    const name = ownedByLanguage(node.left);
    if (name !== undefined) found.add(`The cell replaces "${name}"`);
  } else if (node.type === "VariableDeclarator" && BUILT_IN.has(node.id.name)) {
    found.add(`The cell declares "${node.id.name}", which the language has`);
  } else if (
    node.type === "CallExpression" && /^(?:Object|Reflect)$/.test(node.callee.object?.name)
  ) {
    const call = memberName(node.callee);
    const target = node.arguments[0];
    const name = target && (pathOf(target) ?? "");
    const isChange = /^(?:assign|definePropert(?:y|ies)|set(?:PrototypeOf)?)$/.test(call);
    if (isChange && BUILT_IN.has(name?.split(".")[0])) found.add(`The cell changes "${name}"`);
  }
}

/** The path of a member that an assignment changes, if the language has it. */
function ownedByLanguage(left: Node): string | undefined {
  if (left.type !== "MemberExpression") return undefined;
  const path = pathOf(left);
  const [root, name] = path?.split(".") ?? [];
  if (root === "globalThis") return name !== undefined && name in globalThis ? path : undefined;
  return root !== undefined && BUILT_IN.has(root) ? path : undefined;
}

/** `JSON.parse` for that expression; undefined for what is not names alone. */
function pathOf(node: Node): string | undefined {
  if (node.type === "Identifier") return node.name;
  if (node.type !== "MemberExpression") return undefined;
  const owner = pathOf(node.object), name = memberName(node);
  return owner === undefined || name === "" ? undefined : `${owner}.${name}`;
}

function memberName({ property, computed }: Node): string {
  if (!computed) return property.name ?? "";
  return property.type === "StringLiteral" ? property.value : "";
}
