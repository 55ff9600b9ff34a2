import type { Exchange } from './exchange.ts';
import { Meter } from './rate.ts';

/** What one request to an endpoint of OAuth costs, in the units of RATE_COST_PER_MINUTE. */
const COST = 100;

/**
 * Charges a request to the network that it comes from, as a GraphQL operation of a stranger is: who asks is known only
 * when the request was read, and the answer to a wrong request costs, too.
 *
 * @throws GraphQLError RESOURCE_EXHAUSTED, with HTTP status 429.
 */
export const chargeProtocol = ({ signIn }: Exchange, cost = COST): void =>
  new Meter(null, signIn.address).take(cost);
