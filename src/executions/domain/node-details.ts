import type { JsonObject } from '../../values/json.ts';

/** What an engine from outside says about a node besides its phase. Source: Flyte's NodeExecutionEvent. */
export interface NodeDetails {
  readonly name?: string;
  readonly retryGroup?: string;
  readonly isArray?: boolean;
  readonly isEager?: boolean;
  readonly inputUri?: string;
  readonly outputUri?: string;
  readonly deckUri?: string;
  readonly checkpointUri?: string;
  readonly catalogKey?: JsonObject;
  readonly dynamicJobSpecUri?: string;
  /** The execution that the node started. */
  readonly childExecutionId?: string;
}

/** The details after an event: what it leaves out stays; inputs are stored by the first event that brings them. */
export function mergeNodeDetails(stored: NodeDetails | null, event: NodeDetails): NodeDetails {
  const given = Object.entries(event).filter(
    ([, value]) => value !== undefined && value !== false && value !== '',
  );
  const inputUri = stored?.inputUri ?? event.inputUri;
  return { ...stored, ...Object.fromEntries(given), ...(inputUri && { inputUri }) };
}
