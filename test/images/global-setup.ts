import { letGo } from '../cluster/processes.ts';
import { buildImages } from './build.ts';

/** Builds once what all test files take from the cache. */
export async function setup(): Promise<void> {
  await buildImages({ onBuild: (what) => console.log(`building ${what}`) });
  await letGo();
}
