import { eachOf } from '../../platform/by-id.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { JobSpec } from '../domain/job-spec.ts';
import type { Labels, Toleration } from '../domain/scheduling/matching.ts';

/** The large columns of a job, which lists leave out. */
export interface JobDetails {
  readonly id: string;
  readonly spec: JobSpec;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
}

const details = statement<JobDetails>(
  `select id, spec, labels, annotations, node_selector as "nodeSelector", tolerations
     from jobs where id = any($1::uuid[])`,
);

export async function readJobDetails(ids: readonly string[]): Promise<(JobDetails | null)[]> {
  return eachOf(ids, await run(details, [ids]));
}

export interface GangRow {
  readonly id: string;
  /** Chosen by the submitter, unique in the queue. */
  readonly name: string;
  readonly cardinality: number;
  readonly uniformityLabel: string | null;
  /** How many of its jobs were submitted. */
  readonly size: number;
}

const gangs = statement<GangRow>(
  `select id, name, cardinality, uniformity_label as "uniformityLabel", size from gangs where id = any($1::uuid[])`,
);

export async function readGangs(ids: readonly string[]): Promise<(GangRow | null)[]> {
  return eachOf(ids, await run(gangs, [ids]));
}
