import { isDeepStrictEqual } from 'node:util';

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The JSON merge patch that kubectl's client-side apply and Argo CD's diff make for a custom resource (apimachinery
 * `pkg/util/jsonmergepatch`, CreateThreeWayJSONMergePatch): what the manifest has and the live object has not, or
 * otherwise, and what was applied before and the manifest has no more. Lists are replaced whole. `{}` says "unchanged"
 * and "Synced".
 */
export function threeWayMergePatch(lastApplied: unknown, manifest: unknown, live: unknown): Json {
  const [before, wanted, current] = [lastApplied, manifest, live].map((one) => (isObject(one) ? one : {})) as [
    Json,
    Json,
    Json,
  ];
  const patch: Json = {};
  for (const [key, value] of Object.entries(wanted)) {
    if (isObject(value) && isObject(current[key])) {
      const inner = threeWayMergePatch(before[key], value, current[key]);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (!isDeepStrictEqual(value, current[key])) patch[key] = value;
  }
  for (const key of Object.keys(before)) if (!(key in wanted) && key in current) patch[key] = null;
  return patch;
}
