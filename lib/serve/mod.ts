/**
 * A model behind HTTP, for the clients of Ollama and OpenAI.
 *
 * @module
 */

export type { Ask, Finished } from "./api.ts";
export type { ServedFinding } from "./filtering.ts";
export type { Ending } from "./scheduler.ts";
export { type ModelServer, type ServedRequest, serveModel, type ServeOptions } from "./server.ts";
export type { Settings as AnswerSettings } from "./settings.ts";
