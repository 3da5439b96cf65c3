/** A batch/v1 Job as far as its conditions go. */
interface JobWithConditions<Condition> {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** The condition that ends a Job. (SuccessCriteriaMet and FailureTarget come before its Pods have ended.) */
export const finishedCondition = <Condition extends { type: string; status: string }>({
  status,
}: JobWithConditions<Condition>): Condition | undefined =>
  status?.conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');

/** A Job has ended: it is Complete or Failed. */
export const isFinished = (job: JobWithConditions<{ type: string; status: string }>): boolean =>
  finishedCondition(job) !== undefined;
