/** Says in the first lines of a recipe's report what ran there: a stand-in or a real model, and which settings differ. */

import { basename } from "@std/path/basename";

/** The values of one setting: what it is here, and what it is in the recipe. 0 stands for all, "" for none. */
export type Setting = readonly [here: string | number, recipe: string | number];

/**
 * A model's name for titles: that of a file or a folder without its path.
 *
 * @param modelName What the notebook was given.
 */
export const shortName = (modelName: string): string => basename(modelName);

/**
 * Says what ran.
 *
 * @param modelName What the notebook was given: `"stand-in"`, or a model that `loadModel()` loads.
 * @param recipe The model of the recipe.
 * @param settings Settings that a shorter run changes, by their names.
 * @returns A line on the model and one on the settings.
 */
export function describeRun(
  modelName: string,
  recipe: string,
  settings: Readonly<Record<string, Setting>>,
): string {
  const model = modelName === "stand-in"
    ? `a stand-in of ${recipe}, tiny and with random weights: its losses fall, and its answers are noise`
    : `${shortName(modelName)}; the recipe's is ${recipe}`;
  const changed = Object.entries(settings)
    .filter(([, [here, there]]) => here !== there)
    .map(([name, [here, there]]) => `${name} ${shown(here)} (${shown(there)})`);
  const difference = changed.length === 0
    ? "as in the recipe"
    : `as in the recipe except ${changed.join(", ")}; the recipe's values are in brackets`;
  return `Model: ${model}\nSettings: ${difference}`;
}

const shown = (value: string | number) => value === 0 ? "all" : value === "" ? "none" : value;
