/**
 * What the two kinds of requests have in common: each is read, answered as a whole or in parts, and refused in its own
 * form.
 *
 * @module
 */

import type { ChatMessage } from "../text/mod.ts";
import type { Ending } from "./scheduler.ts";
import type { Asked } from "./settings.ts";

/** A conversation to answer, or a text to continue unchanged. */
export type Ask = { readonly messages: readonly ChatMessage[] } | { readonly text: string };

/** A request for an answer. */
export interface Question {
  /** The model's name. */
  readonly model: string;
  /** What to answer. */
  readonly ask: Ask;
  /** How to answer. */
  readonly asked: Asked;
  /** How the request calls what {@linkcode Asked} names, for errors. */
  readonly names: { readonly maxNewTokens: string; readonly stop: string };
  /** How the answer is written. */
  readonly form: AnswerForm;
  /** Whether the answer is sent in parts. */
  readonly stream: boolean;
}

/** An answer's ending, and the length of its prompt. */
export interface Finished extends Ending {
  /** Tokens of the prompt. */
  readonly promptTokens: number;
}

/** How an answer is written in one of the two protocols. */
export interface AnswerForm {
  /** The media type of an answer in parts. */
  readonly streamType: string;
  /** The whole answer, as JSON. */
  whole(text: string, finished: Finished): unknown;
  /** What precedes the first piece; possibly empty. */
  first(): string;
  /** A piece. */
  piece(text: string): string;
  /** The end. */
  last(finished: Finished): string;
  /** An error after the answer has begun. */
  failure(error: Error): string;
}

/** The description of the model for clients. */
export interface ServedModel {
  /** The name by which clients ask for it. */
  readonly name: string;
  /** Its architecture: `"gpt2"`, `"llama"`. */
  readonly family: string;
  /** How many weights it has. */
  readonly parameters: number;
  /** The bytes that these take as float32. */
  readonly bytes: number;
  /** SHA-256 of its description: configuration, format, base and trainings. */
  readonly digest: string;
  /** When the server began. */
  readonly since: Date;
  /** Its chat template, in Jinja. */
  readonly template: string;
  /** The most tokens of prompt and answer together. */
  readonly contextLength: number;
  /** Elements of its residual stream. */
  readonly width: number;
  /** What requests get that do not say. */
  readonly defaults: { readonly temperature: number; readonly maxNewTokens: number };
}

/** A protocol: its requests for answers and about models, and its errors. */
export interface Protocol {
  /** Reads a request for an answer, or answers one about the model; by method and path. */
  readonly routes: Readonly<Record<string, Route>>;
  /** An error's body. */
  error(error: Error, status: number): unknown;
}

/** What is done with a request. */
export type Route =
  | { readonly kind: "question"; read(json: unknown, id: string): Question | Reply }
  | {
    readonly kind: "about";
    /** @param served The model. @param json The body of a POST. @param path The path's end, where the route ends with `*`. */
    tell(served: ServedModel, json: unknown, path: string): Reply;
  };

/** An answer that needs no model. */
export interface Reply {
  /** Its JSON. */
  readonly json: unknown;
  /** The model's name that the request must name, where it names one. */
  readonly model?: string;
}
