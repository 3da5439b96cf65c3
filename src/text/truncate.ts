/**
 * Cuts a text to what the status schema allows: a status that is refused for one long text records nothing. Half a
 * character at the cut is replaced as the API server would replace it. Otherwise each pass would find another text than
 * it wrote.
 */
export const bounded = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`;

/** A person's text in an annotation as one line, without control characters and what reorders or hides text. */
export const plain = (text: string, max: number): string =>
  bounded(
    text
      .toWellFormed()
      .replace(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
      .trim(),
    max,
  );

/** Keeps the end, for logs. */
export const boundedKeepingTheEnd = (text: string, max: number): string =>
  text.length <= max ? text : `…${text.slice(1 - max).toWellFormed()}`;

/** Bytes in etcd. Go's encoding/json writes `<`, `>`, `&`, U+2028 and U+2029 in six bytes each. */
export function storedBytes(value: unknown): number {
  const text = JSON.stringify(value);
  let bytes = Buffer.byteLength(text);
  for (let place = 0; place < text.length; place += 1) {
    const letter = text.charCodeAt(place);
    if (letter === 0x3c || letter === 0x3e || letter === 0x26) bytes += 5;
    else if (letter === 0x2028 || letter === 0x2029) bytes += 3;
  }
  return bytes;
}

/** The longest beginning (with another `cut`: end) that is stored in so many bytes, quotes not counted. */
export function boundedStored(text: string, bytes: number, cut = bounded): string {
  if (storedBytes(text) - 2 <= bytes) return text;
  let fits = 0;
  let tooLong = text.length;
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (storedBytes(cut(text, middle)) - 2 <= bytes) fits = middle;
    else tooLong = middle;
  }
  return cut(text, fits);
}
