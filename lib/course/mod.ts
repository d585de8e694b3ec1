// Exercises and their checks, for the course's notebooks.

export { type Answer, check, type Exercise, exercise } from "./exercise.ts";
export { assertType, type Exact } from "./assert_type.ts";
