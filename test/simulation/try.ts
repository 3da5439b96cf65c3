import { runSeed } from './run.ts';

const [seed = '1', count = '1', steps = '200', verbose] = process.argv.slice(2);
const t = performance.now();
let n = 0,
  drain = 0;
const bad = new Map<string, number[]>();
for (let s = Number(seed); s < Number(seed) + Number(count); s++) {
  if (process.env.V) console.error(s);
  const r = await runSeed({ seed: s, steps: Number(steps), keepsLines: verbose !== undefined });
  if (verbose) for (const l of r.lines) console.log(l);
  n += r.steps;
  drain += r.drainSteps;
  if (count === '1') console.log(r.hash, r.steps, r.drainSteps);
  if (r.violation) {
    const k = r.violation.message
      .slice(0, 110)
      .replace(/[a-z2-7]{17}\b/g, '…')
      .replace(/\d+/g, 'N');
    bad.set(k, [...(bad.get(k) ?? []), s]);
    if (count === '1') console.log(r.violation.message);
  }
}
const ms = performance.now() - t;
for (const [k, v] of [...bad].sort((a, b) => b[1].length - a[1].length))
  console.log(v.length, k, v.slice(0, 6).join(' '));
console.log({
  n,
  drain,
  ms: Math.round(ms),
  perSec: Math.round(((n + drain) / ms) * 1000),
  perSeed: ms / Number(count),
});
