/**
 * What the person at the terminal can correct: the command line, the environment, a file. Its message is one line that
 * says what was found and what is allowed. The program ends with exit code 2.
 */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}
