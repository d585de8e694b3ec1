// Exercises and their checks, for the course's notebooks.

export { type Answer, check, type Exercise, exercise } from "./exercise.ts";
