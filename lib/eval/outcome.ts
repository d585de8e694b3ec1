/**
 * What a judge made of one response.
 *
 * @module
 */

/** Why a judge gave no reply. */
export type JudgeFailure =
  | "unreachable"
  | "model-missing"
  | "prompt-too-long"
  | "incomplete"
  | "dropped"
  | "server-error"
  | "bad-answer"
  | "timeout";

/** The outcome for one response. */
export type JudgeOutcome =
  | { status: "scored"; score: number; reply: string; understood?: string }
  | { status: "unparsable"; reply: string; message: string }
  | { status: "failed"; reason: JudgeFailure; message: string }
  | { status: "not asked" };
