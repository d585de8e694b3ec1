/** The answer of an endpoint with OpenAI's `/v1/chat/completions`; loaded when the first one comes. */
import { z } from "zod";
import { type Judge, JudgeError } from "../judge.ts";

const answerSchema = z.object({
  choices: z.array(z.object({
    finish_reason: z.string().nullish(),
    message: z.object({
      content: z.string().nullish(),
      reasoning_content: z.string().nullish(),
    }),
  })).min(1),
});

/**
 * Reads an answer.
 *
 * @param text The body of the response.
 * @returns The reply, whether it was cut, and what the model thought before.
 * @throws {JudgeError} If it is not such an answer.
 */
export function readAnswer(text: string): Awaited<ReturnType<Judge["ask"]>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new JudgeError("bad-answer", "The judge's answer is not JSON", { cause: error });
  }
  const parsed = answerSchema.safeParse(json);
  if (!parsed.success) throw new JudgeError("bad-answer", "The judge's answer holds no message");
  const [{ message: { content, reasoning_content: thought }, finish_reason }] = parsed.data.choices;
  return { reply: content ?? "", cut: finish_reason === "length", ...(thought && { thought }) };
}
