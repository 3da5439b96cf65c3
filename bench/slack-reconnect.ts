/**
 * How long the chat bot is without a connection to Slack after each fault, from the fault until Slack can deliver again.
 * `npm run bench:slack-reconnect [times]`
 */
import type { ConnectFault, Fault } from '../dev/local-slack/faults.ts';
import type { Socket } from '../dev/local-slack/socket-mode/sockets.ts';
import { pause, quantile } from './rig.ts';
import { startSlackBots } from './slack-bot-rig.ts';

const TIMES = Number(process.argv[2] ?? 5);
/** A connection that stood for 10 s was a good one: the pause before the next begins at its shortest. */
const STEADY_MS = 10_500;
const METHOD = 'apps.connections.open';

await using rig = await startSlackBots(1);
const { slack } = rig;
const fails = (fault: Fault) => (socket: Socket) => {
  slack.faults.web(METHOD, fault);
  socket.reset();
};
const refuses = (fault: ConnectFault) => (socket: Socket) => {
  slack.faults.connect(fault);
  socket.reset();
};
const FAULTS: Record<string, (socket: Socket) => void> = {
  refresh: (socket) => socket.refresh(),
  'Socket Mode switched off': (socket) => socket.disable(),
  'too many sockets': (socket) => socket.tooMany(),
  'close frame': (socket) => socket.close(),
  reset: (socket) => socket.reset(),
  'reset, then 503': fails({ kind: 'status', status: 503 }),
  'reset, then a reset': fails({ kind: 'reset' }),
  'reset, then an HTML page': fails({ kind: 'html' }),
  'reset, then 429 for 1 s': fails({ kind: 'ratelimited', retryAfter: 1 }),
  'reset, then 503 at the handshake': refuses({ kind: 'status', status: 503 }),
  'reset, then a reset at the handshake': refuses({ kind: 'reset' }),
};

for (const [name, strike] of Object.entries(FAULTS)) {
  const times: number[] = [];
  for (let count = 0; count < TIMES; count += 1) {
    await pause(STEADY_MS);
    const able = () => slack.sockets().filter(({ takesEnvelopes }) => takesEnvelopes);
    const [old] = able() as [Socket];
    const start = performance.now();
    strike(old);
    while (!able().some((socket) => socket !== old)) await pause(2);
    times.push(performance.now() - start);
  }
  console.log(`${name}: median ${quantile(times, 0.5).toFixed(0)} ms, longest ${quantile(times, 1).toFixed(0)} ms`);
}
