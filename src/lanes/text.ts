/**
 * Cuts a text to what the status schema allows there: a status that is refused for one long word records nothing at all. A character that
 * the cut would halve is replaced, as the API server would, or each pass would find another text than it wrote.
 */
export const bounded = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`;

/** A text that people wrote into an annotation: one line, without control characters and what reorders or hides text. */
export const plain = (text: string, max: number): string =>
  bounded(
    text
      .toWellFormed()
      .replace(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
      .trim(),
    max,
  );

/** The same for a text whose end tells the most, like a log's. */
export const boundedKeepingTheEnd = (text: string, max: number): string =>
  text.length <= max ? text : `…${text.slice(1 - max).toWellFormed()}`;
