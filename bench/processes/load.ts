import autocannon from 'autocannon';
import type { Order, Seen } from '../run/load-order.ts';

/** Sends load with autocannon, in a process of its own, and answers each order with what it saw. */

/** On a busy machine, an answer may take long without being wrong. */
const TIMEOUT_SECONDS = 60;

async function load({ url, requests, connections, seconds }: Order): Promise<Seen> {
  const { pathname } = new URL(url);
  const share = Math.max(Math.floor(requests.length / connections), 1);
  let client = 0;
  let failure = '';
  const holds = (body: string) => {
    const isWrong = body.includes('"errors"') || body.includes('Error"');
    if (isWrong && failure === '') failure = body.slice(0, 500);
    return !isWrong;
  };
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    method: 'POST',
    timeout: TIMEOUT_SECONDS,
    verifyBody: (body) => holds(String(body)),
    // Each connection has its own part of the requests, so that no two send the same report.
    setupClient: (connection) => {
      const first = (client * share) % requests.length;
      client += 1;
      connection.setRequests(
        requests.slice(first, first + share).map(({ token, body }) => ({
          method: 'POST',
          path: pathname,
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body,
        })),
      );
    },
  });
  return {
    answered: result['2xx'],
    failed: result.non2xx + result.errors + result.mismatches,
    failure,
    seconds: result.duration,
    bytes: result.throughput.total,
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
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
