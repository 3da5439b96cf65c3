import { execFileSync } from 'node:child_process';
import { KIND } from '../../../src/api/names.ts';
import { documents, type Json, path, text } from './yaml.ts';

/** What README, docs and examples show: whoever copies any of it must get something that works. */

export interface Shown {
  /** The file, and a number where it shows several. */
  readonly where: string;
  /** A whole CapDeployJob, as it stands there; undefined for a part of one. */
  readonly resource: Json | undefined;
  /** Its spec, or the fields of a spec that the part has. */
  readonly spec: Json;
}

/** The fenced blocks of one language in a Markdown text. */
export const blocks = (markdown: string, language: string): string[] =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map((match) => match[1] as string);

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The files that users read: all Markdown, and the examples. */
export const filesForUsers = (): string[] =>
  execFileSync('git', ['ls-files', '--', '*.md', 'examples'], { cwd: path(''), encoding: 'utf8' })
    .split('\n')
    .filter((file) => /\.(md|ya?ml)$/.test(file));

/** Every CapDeployJob that they show, and every part of one that has a Pod template. */
export function shown(): Shown[] {
  return filesForUsers().flatMap((file) => {
    const yaml = file.endsWith('.md') ? blocks(text(file), 'yaml') : [text(file)];
    const found = yaml.flatMap(documents).flatMap((document): Omit<Shown, 'where'>[] => {
      if (!isObject(document)) return [];
      if (document.kind === KIND) return [{ resource: document, spec: document.spec as Json }];
      return isObject(document.template) ? [{ resource: undefined, spec: document }] : [];
    });
    return found.map((each, index) => ({ where: found.length > 1 ? `${file} ${index + 1}` : file, ...each }));
  });
}
