// How near outputs must be.

/** How near numbers must be to count as the same. */
export interface OutputTolerance {
  /**
   * Relative to the larger of two numbers. In a drawing, places are near by the drawing's size. 0 asks
   * for the same in every character.
   */
  relative: number;
}
