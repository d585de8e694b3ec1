/**
 * What a judge is asked about a response.
 *
 * @module
 */
import type { ChatMessage } from "../../text/chat_template.ts";
import { formatAlpacaInstruction } from "../../text/alpaca.ts";
import type { ResponseEntry } from "../responses.ts";
import { PERCENT_SCALE, type ScoreScale } from "./read_reply.ts";

/** What a judge replies with. */
export interface ReplyForm {
  /** The JSON schema of the reply; Ollama lets the model write nothing else. Without one the reply is free text. */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** The most tokens of the reply. */
  readonly maxTokens: number;
}

/** A question whose reply is a score. */
export interface JudgeQuestion {
  /** Its name in reports. */
  readonly name: string;
  /** The lowest and the highest score. */
  readonly scale: ScoreScale;
  /** The form of the reply. */
  readonly form: ReplyForm;
  /**
   * The question about one response.
   *
   * @param entry Question, reference and response.
   */
  prompt(entry: ResponseEntry): string;
}

/** A whole number: three or four tokens, the rest is for white space. */
export function scoreForm({ least, most }: ScoreScale): ReplyForm {
  return { schema: { type: "integer", minimum: least, maximum: most }, maxTokens: 16 };
}

/** The question of Raschka's chapter 7. */
export const RASCHKA_QUESTION: JudgeQuestion = {
  name: "score",
  scale: PERCENT_SCALE,
  form: scoreForm(PERCENT_SCALE),
  prompt: (entry) =>
    `Given the input \`${questionText(entry)}\` ` +
    `and correct output \`${entry.output}\`, ` +
    `score the model response \`${entry.model_response}\` ` +
    "on a scale from 0 to 100, where 100 is the best score. " +
    "Respond with the integer number only.",
};

/**
 * What the model was asked: an instruction as Raschka's chapter 7 writes it, or every message of a conversation before its
 * last answer, since an answer can be right only in its context.
 *
 * @param entry The entry.
 * @returns The text.
 */
export function questionText(entry: ResponseEntry): string {
  const { messages } = entry as { messages?: unknown };
  if (!Array.isArray(messages)) return formatAlpacaInstruction(entry);
  const asked = messages as ChatMessage[];
  const answered = asked.at(-1)?.role === "assistant" ? asked.slice(0, -1) : asked;
  return answered.map(({ role, content }) => {
    const name = String(role).charAt(0).toUpperCase() + String(role).slice(1);
    return `${name}: ${typeof content === "string" ? content : JSON.stringify(content)}`;
  }).join("\n\n");
}
