/** The part of an execution whose values Flyte's addresses name. */
export interface FlyteUrlPart {
  readonly project: string;
  readonly domain: string;
  readonly execution: string;
  readonly nodeId: string;
  /** Null for the node itself. */
  readonly attempt: number | null;
  /** Whether the node has a report. */
  readonly hasDeck: boolean;
}

export interface FlyteUrls {
  readonly inputs: string;
  readonly outputs: string;
  readonly deck: string | null;
}

/** Flyte's own addresses of the values of a node or an attempt. Source: flyteadmin's `flyte_urls`. */
export function flyteUrlsOf({
  project,
  domain,
  execution,
  nodeId,
  attempt,
  hasDeck,
}: FlyteUrlPart): FlyteUrls {
  const parts = [project, domain, execution, nodeId, ...(attempt === null ? [] : [attempt])];
  const base = `flyte://v1/${parts.join('/')}`;
  return { inputs: `${base}/i`, outputs: `${base}/o`, deck: hasDeck ? `${base}/d` : null };
}
