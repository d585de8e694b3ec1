// What the course's notebooks need beyond the library: exercises and their checks.

export { type Answer, check, type Exercise, exercise } from "./exercise.ts";
