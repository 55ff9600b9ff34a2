import type { EntityType } from '../../generated/prisma/enums.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import type { JsonObject } from '../../values/json.ts';

/** What became of the reservation of an entry of the cache. Source: Flyte's CatalogReservation.Status. */
export type ReservationStatus = 'DISABLED' | 'ACQUIRED' | 'EXISTS' | 'RELEASED' | 'FAILURE';

/** A version of a task, workflow or launch plan. */
export interface EntityReference {
  readonly type: EntityType;
  readonly key: EntityKey;
}

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
  readonly reservationStatus?: ReservationStatus;
  readonly dynamicJobSpecUri?: string;
  /** Whether the node came from a workflow that was created at run time. */
  readonly isInDynamicChain?: boolean;
  /** What the node runs. */
  readonly targetEntity?: EntityReference;
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
