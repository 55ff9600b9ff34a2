import autocannon from 'autocannon';
import { CountedWindow, type Sample } from '../run/counted-window.ts';
import { cpuOf, cpuOfFamily, cpuOfMachine, forgetPeak, peakMemoryOf } from '../run/cpu.ts';
import type { Order, Seen } from '../run/load-order.ts';

/** Sends load with autocannon, in a process of its own, and answers each order with what it saw. */

/** On a busy machine, an answer may take long without being wrong. */
const TIMEOUT_SECONDS = 60;
const LONGEST_SECONDS = 120;
/** How often autocannon looks whether it has been stopped. */
const LOOK_MS = 50;

async function load(order: Order): Promise<Seen> {
  const { url, contentType, requests, connections, seconds, isOnce, pids } = order;
  const { pathname } = new URL(url);
  const share = Math.max(Math.floor(requests.length / connections), 1);
  const sample = (): Sample => ({
    at: performance.now(),
    server: cpuOf(pids.server),
    database: cpuOfFamily(pids.database),
    ours: cpuOf(pids.bench) + cpuOf(process.pid),
    machine: cpuOfMachine(),
  });
  const window = new CountedWindow({ connections, seconds, share: isOnce ? share : null }, sample);
  let client = 0;
  let failure = '';
  const holds = (body: string) => {
    const isWrong = body.includes('"errors"') || body.includes('Error"');
    if (isWrong && failure === '') failure = body.slice(0, 500);
    return !isWrong;
  };
  forgetPeak(pids.server);
  const options: autocannon.Options = {
    url,
    connections,
    duration: LONGEST_SECONDS,
    sampleInt: LOOK_MS,
    method: 'POST',
    timeout: TIMEOUT_SECONDS,
    ...(isOnce && { maxConnectionRequests: share }),
    verifyBody: (body) => holds(String(body)),
    // Each connection has its own part of the requests, so that no two send the same report.
    setupClient: (connection) => {
      const first = (client * share) % requests.length;
      client += 1;
      connection.setRequests(
        requests.slice(first, first + share).map(({ authorization, body }) => ({
          method: 'POST',
          path: pathname,
          headers: { 'content-type': contentType, authorization },
          body,
        })),
      );
    },
  };
  const result = await sendUntil(options, (connection, ms) =>
    window.answered(connection, ms, performance.now()),
  );
  return {
    answered: result['2xx'],
    failed: result.non2xx + result.errors + result.mismatches,
    failure,
    window: window.result(peakMemoryOf(pids.server)),
  };
}

/** Sends until the window is over. */
function sendUntil(options: autocannon.Options, isOver: (connection: object, ms: number) => boolean) {
  return new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)));
    instance.on('response', (connection, _status, _bytes, ms) => {
      if (isOver(connection, ms)) instance.stop();
    });
  });
}

process.on('message', (order: Order) => {
  load(order).then(
    (seen) => process.send?.(seen),
    (error: Error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(0));
