/**
 * Divides a line into words as a shell would: blanks divide, and quotes keep blanks together. Unlike in a shell a quote
 * opens only at the start of a word or after `=`, so that an apostrophe (`it's`) is a letter, and a backslash is one,
 * too.
 * @returns the words, or `undefined` if a quote is not closed
 */
export function wordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  let rest = line.trimStart();
  while (rest !== '') {
    const [, option = '', quote] = /^(-[^\s"'=]*=)?(["'])?/.exec(rest) ?? [];
    if (quote === undefined) {
      const [word] = /^\S+/.exec(rest) as RegExpExecArray;
      words.push(word);
      rest = rest.slice(word.length).trimStart();
      continue;
    }
    const quoted = rest.slice(option.length + 1);
    // It closes before a blank or at the end: 'it's fine' holds an apostrophe.
    const end = quoted.search(quote === '"' ? /"(?=\s|$)/ : /'(?=\s|$)/);
    if (end < 0) return undefined;
    words.push(option + quoted.slice(0, end));
    rest = quoted.slice(end + 1).trimStart();
  }
  return words;
}
