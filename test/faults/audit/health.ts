import type { Check } from './evidence.ts';

/** What each CapDeployJob says when everything is over. */

export const notAtRest: Check = ({ resources }) =>
  resources
    .filter(({ waiting, active }) => waiting !== 0 || active !== 0)
    .map(({ name, waiting, active }) => `${name}: the status still says ${waiting} waiting and ${active} active`);

/** Of a failed deploy LastDeploySucceeded tells: that is no fault of the operator's. */
const HEALTHY = ['Ready', 'QueueReachable', 'TemplateValid'];

export const unhealthy: Check = ({ resources }) =>
  resources.flatMap(({ name, conditions }) =>
    HEALTHY.flatMap((type) => {
      const found = conditions.find((condition) => condition.type === type);
      if (found?.status === 'True') return [];
      return [`${name}: ${type} is ${found ? `${found.status} (${found.reason}: ${found.message})` : 'not there'}`];
    }),
  );
