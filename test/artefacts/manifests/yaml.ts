import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export type Json = Record<string, unknown>;

/** A path from the root of the checkout. */
export const path = (relative: string): string => fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
export const text = (relative: string): string => readFileSync(path(relative), 'utf8');

/** The documents of a YAML text; a mistake in it, a duplicate key for one, fails the test. */
export function documents(yaml: string): Json[] {
  return parseAllDocuments(yaml, { uniqueKeys: true }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Json;
  });
}

export const yamlFiles = (folder: string): string[] =>
  readdirSync(path(folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => `${folder}/${name}`);

export interface Kustomization {
  resources: string[];
  images?: { name: string; newName?: string; newTag: string }[];
}
export const kustomization = (file: string) => documents(text(file))[0] as unknown as Kustomization;

/** The files that `kubectl apply -k .` installs. */
export const installedFiles = (): string[] =>
  kustomization('kustomization.yaml').resources.flatMap((folder) =>
    kustomization(`${folder}/Kustomization`).resources.map((file) => `${folder}/${file}`),
  );
