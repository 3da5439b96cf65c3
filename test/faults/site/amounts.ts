/**
 * How many messages a scenario sends: as many as it says, or what `npm run test:faults -- --messages N` asks for where
 * that is less.
 */
export function messages(usual: number): number {
  const asked = process.env.TEST_FAULTS_MESSAGES;
  return asked ? Math.min(usual, Number(asked)) : usual;
}
