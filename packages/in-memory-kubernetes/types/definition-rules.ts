/**
 * CustomResourceDefinitions: what is checked of them, and the types that they make the store serve.
 *
 * Only what a wrong CRD would most likely get wrong is checked. Whether a schema is structural to the letter, and what
 * its CEL rules cost, only the real API server knows.
 */

import { timestamp } from '../clock.ts';
import type { KubeObject } from '../objects.ts';
import type { FieldError } from '../store/api-error.ts';
import { fieldError } from '../store/api-error.ts';
import { at, isObject, listAt, textAt } from '../store/json.ts';
import { nameProblem } from '../store/names.ts';
import type { SelectableFields } from '../store/selectors.ts';
import { evaluateJsonPath } from './json-path.ts';
import type { Schema } from './schema.ts';
import type { ServedType, TypeRules, View } from './served-types.ts';
import { customColumns } from './tables.ts';

function definitionErrors(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const plural = textAt(object, 'spec', 'names', 'plural') ?? '';
  const group = textAt(object, 'spec', 'group') ?? '';
  for (const [field, value] of [
    ['spec.group', group],
    ['spec.names.plural', plural],
    ['spec.names.kind', textAt(object, 'spec', 'names', 'kind') ?? ''],
  ] as const) {
    if (value === '') errors.push(fieldError.required(field));
  }
  if (object.metadata.name !== `${plural}.${group}`) {
    const words = `must be spec.names.plural+"."+spec.group`;
    errors.push(fieldError.invalid('metadata.name', object.metadata.name, words));
  }
  const scope = at(object, 'spec', 'scope');
  if (scope !== 'Namespaced' && scope !== 'Cluster') {
    errors.push(fieldError.unsupported('spec.scope', scope ?? '', ['Cluster', 'Namespaced']));
  }
  const versions = listAt(object, 'spec', 'versions');
  if (versions.filter((version) => version.storage === true).length !== 1) {
    errors.push(
      fieldError.invalid('spec.versions', versions.length, 'must have exactly one version marked as storage version'),
    );
  }
  versions.forEach((version, index) => {
    const field = `spec.versions[${index}].schema.openAPIV3Schema`;
    const schema = at(version, 'schema', 'openAPIV3Schema');
    if (!isObject(schema)) errors.push(fieldError.required(field, 'schemas are required'));
    else if (schema.type !== 'object') {
      errors.push(fieldError.invalid(`${field}.type`, schema.type ?? '', 'must be object at the root'));
    }
  });
  return errors;
}

/** The names are accepted and the type is served at once; the real API server takes some milliseconds. */
function establish(object: KubeObject, now: number): void {
  const at = timestamp(now);
  const versions = listAt(object, 'spec', 'versions');
  object.status = {
    conditions: [
      {
        type: 'NamesAccepted',
        status: 'True',
        lastTransitionTime: at,
        reason: 'NoConflicts',
        message: 'no conflicts found',
      },
      {
        type: 'Established',
        status: 'True',
        lastTransitionTime: at,
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
      },
    ],
    acceptedNames: (object.spec as { names?: unknown }).names,
    storedVersions: versions.filter((version) => version.storage === true).map((version) => version.name),
  };
}

function applyDefinitionDefaults(object: KubeObject): void {
  const spec = isObject(object.spec) ? object.spec : {};
  object.spec = spec;
  spec.conversion ??= { strategy: 'None' };
  if (!isObject(spec.names)) return;
  const kind = String(spec.names.kind ?? '');
  spec.names.singular ??= kind.toLowerCase();
  spec.names.listKind ??= `${kind}List`;
  for (const version of listAt(spec, 'versions')) {
    for (const column of listAt(version, 'additionalPrinterColumns')) {
      if (column.priority === 0) delete column.priority;
    }
  }
}

export const definitionRules: TypeRules = {
  prepareCreate(object, lookup) {
    applyDefinitionDefaults(object);
    establish(object, lookup.now());
  },
  prepareUpdate: applyDefinitionDefaults,
  validate: definitionErrors,
};

/** Versions of a custom resource differ by their apiVersion only (conversion strategy None). */
function versionView(group: string, stored: string, version: string): View | undefined {
  if (stored === version) return undefined;
  return {
    toStored: (object) => ({ ...object, apiVersion: `${group}/${stored}` }),
    fromStored: (object) => ({ ...object, apiVersion: `${group}/${version}` }),
  };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** The types that a CustomResourceDefinition makes: one for each served version. */
export function typesOf(definition: KubeObject): ServedType[] {
  const group = textAt(definition, 'spec', 'group') ?? '';
  const names = at(definition, 'spec', 'names');
  const versions = listAt(definition, 'spec', 'versions');
  const stored = String(versions.find((version) => version.storage === true)?.name ?? '');
  return versions
    .filter((version) => version.served === true)
    .map((version): ServedType => {
      const view = versionView(group, stored, String(version.name));
      return {
        group,
        version: String(version.name),
        plural: textAt(names, 'plural') ?? '',
        kind: textAt(names, 'kind') ?? '',
        singular: textAt(names, 'singular') ?? '',
        shortNames: strings(at(names, 'shortNames')),
        categories: strings(at(names, 'categories')),
        namespaced: at(definition, 'spec', 'scope') === 'Namespaced',
        storage: `${group}/${textAt(names, 'plural')}`,
        hasStatus: at(version, 'subresources', 'status') !== undefined,
        hasGeneration: true,
        unconditionalUpdate: false,
        custom: true,
        nameProblem: nameProblem.subdomain,
        shape: (at(version, 'schema', 'openAPIV3Schema') ?? { type: 'object' }) as Schema,
        selectable: selectableOf(version),
        unknownField: 'bare',
        columns: customColumns(version.additionalPrinterColumns),
        rules: {},
        ...(view === undefined ? {} : { view }),
      };
    });
}

function selectableOf(version: unknown): SelectableFields {
  const fields: SelectableFields = {
    'metadata.name': (object) => object.metadata.name,
    'metadata.namespace': (object) => object.metadata.namespace ?? '',
  };
  for (const { jsonPath } of listAt(version, 'selectableFields')) {
    const path = String(jsonPath);
    fields[path.replace(/^\./, '')] = (object) => String(evaluateJsonPath(path, object)[0] ?? '');
  }
  return fields;
}
