// What the course's notebooks need beyond the library: exercises and their checks.

export {
  type Answer,
  check,
  type Exercise,
  exercise,
  judgeAnswer,
  type Verdict,
} from "./exercise.ts";
export { compareAnswers, type Difference } from "./compare.ts";
