import { MUTATIONS_OF_ENDS } from './mutations-ends.ts';
import { MUTATIONS_OF_STATUS } from './mutations-status.ts';

/** A bug to be planted: `find` stands exactly once in `file`, and gives way to `replace`. */
export interface Mutation {
  readonly name: string;
  /** Rule of docs/lanes.md, or invariant, that it breaks. */
  readonly rule: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Seeds within which it must be found, where the common bound is not enough. */
  readonly seeds?: number;
}

/** Each rule of the protocol dropped in turn, and other bugs that somebody could write on a bad day. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'resume without a claim',
    rule: 'rule 1',
    file: 'src/lanes/advance-claim.ts',
    find: 'lane.claim = claimOf(next.job, next.request, iso(lane));\n  lane.openSince = undefined;',
    replace: 'lane.openSince = undefined;',
  },
  {
    name: 'the claim is written under whatever resourceVersion there is',
    rule: 'rule 1',
    file: 'src/operator/controller/apply-plan.ts',
    find: 'const written = { ...resource, status: plan.status } as unknown as KubeObject;',
    replace:
      'const { namespace, name } = resource.metadata; const fresh = await this.#deps.client.get(CAPDEPLOYJOBS, namespace, name); const written = { ...fresh, status: plan.status } as unknown as KubeObject;',
  },
  {
    name: 'the Job is resumed before its claim is stored',
    rule: 'rule 1',
    file: 'src/operator/controller/apply-plan.ts',
    find: '    if (writeStatus) onStored(await this.#storeStatus(observation.resource, plan));',
    replace:
      '    for (const job of plan.start) await this.#start(key, observation.resource, job);\n    if (writeStatus) onStored(await this.#storeStatus(observation.resource, plan));',
  },
  {
    name: 'PATCH without resourceVersion',
    rule: 'rule 1',
    file: 'src/operator/controller/apply-plan.ts',
    find: 'await this.#deps.client.patch(JOBS, namespace, name, { uid, resourceVersion }, patch);',
    replace: 'void resourceVersion; await this.#deps.client.patch(JOBS, namespace, name, { uid } as never, patch);',
  },
  {
    name: 'the resume does not write started-at',
    rule: 'rule 1',
    file: 'src/operator/controller/apply-plan.ts',
    find: 'this.#patch(job, { spec: { suspend: false }, metadata: { annotations: startedMark(startedAt) } }),',
    replace: 'this.#patch(job, { spec: { suspend: false, ...(startedAt ? {} : {}) } }),',
  },
  {
    name: 'a plan made from the caches is carried out',
    rule: 'rule 2',
    file: 'src/operator/controller/reconcile.ts',
    find: 'observation = await observer.live(key, template);',
    replace: 'observation = observer.cached(key, template);',
  },
  {
    name: 'the resource is read after Jobs and Pods',
    rule: 'rule 2',
    file: 'src/operator/controller/observe.ts',
    find: '    this.#deps.memory.seeLive(jobs.items, pods.items);',
    replace:
      '    Object.assign(resource, await this.#deps.client.get(CAPDEPLOYJOBS, namespace, name));\n    this.#deps.memory.seeLive(jobs.items, pods.items);',
  },
  {
    name: 'a Pod without a claim does not hold the lane',
    rule: 'rule 3',
    file: 'src/lanes/occupant.ts',
    find: 'const pod = pods.find(isAlive);\n  if (!pod)',
    replace: 'const pod = undefined as never as import("./job.ts").Pod;\n  if (!pod)',
  },
  {
    name: 'only the resource’s own Jobs are looked at',
    rule: 'rule 3',
    file: 'src/lanes/occupant.ts',
    find: 'const job = [...jobs, ...foreignJobs].find(isRunning);',
    replace: 'const job = jobs.find(isRunning);',
  },
  {
    name: 'a claim is started beside a Job that somebody resumed and suspended',
    rule: 'rule 3',
    file: 'src/lanes/occupant.ts',
    find: 'if (!pod) return interruptedBeside(lane);',
    replace: 'if (!pod) return undefined;',
  },
  {
    name: 'recovery does not write the claim anew',
    rule: 'rule 4',
    file: 'src/lanes/advance-claim.ts',
    find: 'const since = new Date(Math.max(lane.view.now, Date.parse(claim.since) + 1)).toISOString();',
    replace: 'const { since } = claim;',
  },
  {
    name: 'a claim is given up without writing its Job first',
    rule: 'rule 5',
    file: 'src/lanes/advance-claim.ts',
    find: '    lane.touch.push(job);\n    lane.release();',
    replace: '    lane.release();',
  },
  {
    name: 'a claim is released while its Pod still terminates',
    rule: 'rule 6',
    file: 'src/lanes/record-outcomes.ts',
    find: '  if (lane.view.pods.some(isAlive)) return false;\n',
    replace: '',
  },
  {
    name: 'a Pod that comes late is not waited for',
    rule: 'rule 6',
    file: 'src/lanes/record-outcomes.ts',
    find: 'export const LATE_POD_MS = 30_000;',
    replace: 'export const LATE_POD_MS = 0;',
  },
  {
    name: 'a claim is released without a record',
    rule: 'rule 6',
    file: 'src/lanes/record-outcomes.ts',
    find: '    lane.end(requestOf(claim, lane.view.name), claim.job, outcomeOfVanished(ended), claim.since);',
    replace: '    void outcomeOfVanished; void requestOf; void ended;',
  },
  {
    name: 'no record before the delete',
    rule: 'rule 7',
    file: 'src/operator/controller/apply-plan.ts',
    find: '    if (writeStatus) onStored(await this.#storeStatus(observation.resource, plan));\n',
    replace:
      '    for (const removal of plan.remove) await this.#remove(key, removal);\n    if (writeStatus) onStored(await this.#storeStatus(observation.resource, plan));\n',
  },
  {
    name: 'a delete names no resourceVersion',
    rule: 'rule 7',
    file: 'src/operator/controller/apply-plan.ts',
    find: 'this.#deps.client.delete(JOBS, namespace, name, { uid, resourceVersion })',
    replace: 'this.#deps.client.delete(JOBS, namespace, name, { uid, ...(resourceVersion ? {} : {}) } as never)',
  },
  {
    name: 'a delete orphans the Pod',
    rule: 'rule 7',
    file: 'dev/in-process-client.ts',
    find: "propagationPolicy: 'Background'",
    replace: "propagationPolicy: 'Orphan'",
  },
  {
    name: 'the watermark moves backwards',
    rule: 'rule 8',
    file: 'src/lanes/lane.ts',
    find: '    if (last && compareTurns(last, { id, dueAt }) >= 0) return;\n',
    replace: '    void last;\n',
  },
  {
    name: 'the watermark is not kept',
    rule: 'rule 8',
    file: 'src/lanes/lane.ts',
    find: '    this.lastStarted.set(task, { task, id, repository, ...defined({ revision }), dueAt });\n',
    replace: '    void repository; void revision;\n',
  },
  {
    name: 'a Job that was resumed by hand gets no mark',
    rule: 'rule 9',
    file: 'src/lanes/plan-lane.ts',
    find: '  markStarted(lane);\n',
    replace: '',
  },
  {
    name: 'what a Pod alone tells of is recorded without the mark',
    rule: 'rule 9',
    file: 'src/lanes/record-outcomes.ts',
    find: '    if (startedAt(job) === undefined) continue;\n',
    replace: '',
  },
  {
    name: 'Replace announces nothing',
    rule: 'rule 10',
    file: 'src/lanes/replace.ts',
    find: '  lane.claim = {\n    ...claim,\n    ...(exit ? { exit } : {}),\n    ending: {',
    replace:
      '  (lane as unknown as { nothing: object }).nothing = {\n    ...claim,\n    ...(exit ? { exit } : {}),\n    ending: {',
  },
  {
    name: 'an announcement is taken back without writing the Job',
    rule: 'rule 10',
    file: 'src/lanes/plan-lane.ts',
    find: '  fenceTakenBack(lane);\n',
    replace: '',
  },
  {
    name: 'a claim is kept though its lane was closed meanwhile',
    rule: 'rule 11',
    file: 'src/lanes/advance-claim.ts',
    find: 'const isStale = !lane.isStartable(request) || lane.isKnown(claim.id)',
    replace: 'const isStale = lane.isKnown(claim.id)',
  },
  {
    name: 'a message is deleted as soon as its Job is stored',
    rule: 'rule 12',
    file: 'src/operator/intake/batch.ts',
    find: "    item.phase = 'stored';\n",
    replace: "    item.phase = 'listed';\n",
  },
  {
    name: 'a message is deleted on the word of the cache',
    rule: 'rule 12',
    file: 'src/operator/intake/acknowledge/status-confirmation.ts',
    find: 'const live = await liveResource(kube, key, uid, signal);',
    replace: 'void liveResource; void uid; const live = this.#context.resources.get(key);',
  },
  {
    name: 'a message is deleted before its Job is created',
    rule: 'invariant 2',
    file: 'src/operator/intake/poller.ts',
    find: '    this.#batch = new Batch(this.#context,',
    replace:
      '    await this.#context.queue.delete(messages.map(({ receiptHandle }) => receiptHandle)).catch(() => {});\n    this.#batch = new Batch(this.#context,',
  },
  {
    name: 'a rejection is settled before it is recorded',
    rule: 'invariant 2',
    file: 'src/operator/intake/reject/rejections.ts',
    find: '        await reports.rejected(key, { ...rejection, at }, controller.signal, uid);',
    replace: '        void reports.rejected(key, { ...rejection, at }, controller.signal, uid).catch(() => {});',
  },
  {
    name: 'what an earlier resource refused is recorded by the next one of its name',
    rule: 'invariant 7',
    file: 'src/operator/controller/intake-reports.ts',
    find: 'uid === undefined || entry.uid === undefined || entry.uid === uid;',
    replace: 'uid === undefined || entry.uid !== null;',
  },
  {
    name: 'Pods are not labelled',
    rule: 'invariant 3',
    file: 'src/lanes/build-job.ts',
    find: "labels: { ...optionalRecord(metadata.labels, '.metadata.labels'), ...labels },",
    replace: "labels: { ...optionalRecord(metadata.labels, '.metadata.labels'), ...(labels ? {} : {}) },",
  },
  {
    name: 'the name of a Job holds the time',
    rule: 'invariant 1',
    file: 'src/lanes/build-job.ts',
    find: 'name: jobName(resource.metadata.name, request.environment, request.id),',
    replace:
      "name: [jobName(resource.metadata.name, request.environment, request.id).slice(0, 40), process.hrtime.bigint()].join('-'),",
  },
  {
    name: 'a request whose end is recorded is not recognised',
    rule: 'invariant 1',
    file: 'src/lanes/lane.ts',
    find: 'return this.isRecorded(id) || this.isWatermark(id);',
    replace: 'return this.isRecorded(id) && this.isWatermark(id) && false;',
  },
  {
    name: 'a started Job that somebody suspended is started again',
    rule: 'invariant 1',
    file: 'src/lanes/job.ts',
    find: 'isSuspended(job) && !isFinished(job) && !isBeingDeleted(job) && startedAt(job) === undefined;',
    replace: 'isSuspended(job) && !isFinished(job) && !isBeingDeleted(job);',
  },
  {
    name: 'another Job of the claimed name passes for the claimed one',
    rule: 'invariant 1',
    file: 'src/lanes/lane.ts',
    find: 'return claim && this.view.jobs.find((job) => job.metadata.uid === claim.uid);',
    replace: 'return claim && this.view.jobs.find((job) => job.metadata.name === claim.job);',
  },
  {
    name: 'what runs without a claim is not adopted',
    rule: 'invariant 3',
    file: 'src/lanes/plan-lane.ts',
    find: '  adoptStarted(lane);\n',
    replace: '',
  },
  {
    name: 'the newest starts first',
    rule: 'invariant 4',
    file: 'src/lanes/lane.ts',
    find: '.sort((a, b) => compareTurns(a.request, b.request) ||',
    replace: '.sort((a, b) => compareTurns(b.request, a.request) ||',
  },
  {
    name: 'what was overtaken is started all the same',
    rule: 'invariant 4',
    file: 'src/lanes/policies.ts',
    find: '  if (!watermark || !isBefore(request, watermark)) return undefined;',
    replace: '  if (!watermark || !isBefore(request, watermark) || request.id !== watermark.id) return undefined;',
  },
  {
    name: 'the end of a deploy is not recorded',
    rule: 'invariant 1',
    file: 'src/lanes/plan-lane.ts',
    find: '  recordFinished(lane);\n',
    replace: '',
  },
  {
    name: 'a waiting request whose Job was deleted is forgotten',
    rule: 'invariant 1',
    file: 'src/lanes/plan-lane.ts',
    find: '  recordDeletedWhileWaiting(lane);\n',
    replace: '',
  },
  {
    name: 'a second delivery undoes that somebody deleted the Job of a waiting request',
    rule: 'rule 13',
    file: 'src/lanes/evaluate-waiting.ts',
    find: 'entry.uid !== undefined && entry.uid !== job.metadata.uid && lane.isWaiting(job);',
    replace: 'false;',
    seeds: 4000,
  },
  {
    name: 'operators with different clocks correct each other at once',
    rule: 'invariant 8',
    file: 'src/operator/controller/status-damping.ts',
    find: 'const CONTRADICT_MS = 10_000;',
    replace: 'const CONTRADICT_MS = 0;',
  },
  {
    name: 'a thaw is told of what is frozen still',
    rule: 'invariant 7',
    file: 'src/lanes/freeze.ts',
    find: 'words !== undefined && named.has(name) && !frozen.has(name)',
    replace: 'words !== undefined && named.has(name) && frozen.size >= 0',
  },
  {
    name: 'a thaw is told before the status that says so is stored',
    rule: 'invariant 7',
    file: 'src/operator/controller/apply-plan.ts',
    find: '    if (writeStatus) onStored(await this.#storeStatus(observation.resource, plan));',
    replace:
      '    this.#deps.announcer.recorded(key, observation, plan);\n    if (writeStatus) onStored(await this.#storeStatus(observation.resource, plan));',
  },
  ...MUTATIONS_OF_ENDS,
  ...MUTATIONS_OF_STATUS,
];
