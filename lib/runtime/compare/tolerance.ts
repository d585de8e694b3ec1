// How near outputs must be.

/** How near numbers must be to count as the same. */
export interface OutputTolerance {
  /**
   * Relative to the larger of two numbers, in arrays to the largest. 0 asks for the same in every
   * character; where it is more, colours of text and blanks at its end do not count.
   */
  relative: number;
}
